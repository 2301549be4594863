//! Routes that are told of: the router, and what each of its operations is for.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use axum::{Extension, Router};
use http::Method;

use super::super::arguments::{BodyLimit, Brings};
use super::super::{Api, root};
use super::operation::{About, Operation};

/// What is served of a resource.
#[must_use]
pub(in super::super) struct Routes {
    resource: &'static str,
    router: Router<Arc<Api>>,
    operations: Vec<Operation>,
}

/// What is served at a path.
#[must_use]
pub(in super::super) struct Serves {
    router: MethodRouter<Arc<Api>>,
    operations: Vec<(Method, About)>,
}

/// How a path refuses methods that it has only to say why there is nothing to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Refusal {
    /// A collection is not changed as a whole.
    AsAWhole,
    /// What is named within something else has a path of its own.
    WithinAnother,
    /// There is no such method.
    NoSuchMethod,
    /// There is nothing to be seen of one of these by itself.
    OnlyListed,
}

impl Routes {
    /// None yet; under this name are told those that follow.
    pub(in super::super) fn of(resource: &'static str) -> Self {
        Self {
            resource,
            router: Router::new(),
            operations: Vec::new(),
        }
    }

    /// Serves this at a path.
    pub(in super::super) fn route(mut self, path: &str, serves: Serves) -> Self {
        self.router = self.router.route(path, serves.router);
        for (method, about) in serves.operations {
            let operation = Operation::new(self.resource, method, path, about);
            self.operations.push(operation);
        }
        self
    }

    /// Tells of what is served at a path by somebody else.
    pub(in super::super) fn told(mut self, method: Method, path: &str, about: About) -> Self {
        let operation = Operation::new(self.resource, method, path, about);
        self.operations.push(operation);
        self
    }

    /// These and those.
    pub(in super::super) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.operations.extend(other.operations);
        self
    }

    /// The router, and what it serves.
    pub(in super::super) fn into_parts(self) -> (Router<Arc<Api>>, Vec<Operation>) {
        (self.router, self.operations)
    }
}

/// Serves `GET`.
pub(in super::super) fn get<H: Handler<T, Arc<Api>>, T: 'static>(
    handler: H,
    about: About,
) -> Serves {
    Serves::nothing().get(handler, about)
}

/// Serves `POST`.
pub(in super::super) fn post<H: Handler<T, Arc<Api>>, T: 'static>(
    handler: H,
    about: About,
) -> Serves {
    Serves::nothing().post(handler, about)
}

/// Serves `PUT`.
pub(in super::super) fn put<H: Handler<T, Arc<Api>>, T: 'static>(
    handler: H,
    about: About,
) -> Serves {
    Serves::nothing().put(handler, about)
}

/// Serves `DELETE`.
pub(in super::super) fn delete<H: Handler<T, Arc<Api>>, T: 'static>(
    handler: H,
    about: About,
) -> Serves {
    Serves::nothing().delete(handler, about)
}

/// Serves every method that changes or reads something.
pub(in super::super) fn any<H: Handler<T, Arc<Api>>, T: 'static>(
    handler: H,
    about: &About,
) -> Serves {
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    Serves {
        router: axum::routing::any(handler),
        operations: methods.map(|method| (method, about.clone())).into(),
    }
}

/// Refuses every method.
pub(in super::super) fn refused(refusal: Refusal) -> Serves {
    Serves {
        router: match refusal {
            Refusal::AsAWhole => axum::routing::any(root::not_on_a_collection),
            Refusal::WithinAnother => axum::routing::any(root::not_within_another),
            Refusal::NoSuchMethod => axum::routing::any(root::no_such_method),
            Refusal::OnlyListed => axum::routing::get(root::only_listed),
        },
        operations: Vec::new(),
    }
}

impl Serves {
    fn nothing() -> Self {
        Self {
            router: MethodRouter::new(),
            operations: Vec::new(),
        }
    }

    fn with<H: Handler<T, Arc<Api>>, T: 'static>(
        mut self,
        (filter, method): (MethodFilter, Method),
        handler: H,
        about: About,
    ) -> Self {
        self.router = self.router.on(filter, handler);
        self.operations.push((method, about));
        self
    }

    /// Serves `GET` as well.
    pub(in super::super) fn get<H: Handler<T, Arc<Api>>, T: 'static>(
        self,
        handler: H,
        about: About,
    ) -> Self {
        self.with((MethodFilter::GET, Method::GET), handler, about)
    }

    /// Serves `POST` as well.
    pub(in super::super) fn post<H: Handler<T, Arc<Api>>, T: 'static>(
        self,
        handler: H,
        about: About,
    ) -> Self {
        self.with((MethodFilter::POST, Method::POST), handler, about)
    }

    /// Serves `PUT` as well.
    pub(in super::super) fn put<H: Handler<T, Arc<Api>>, T: 'static>(
        self,
        handler: H,
        about: About,
    ) -> Self {
        self.with((MethodFilter::PUT, Method::PUT), handler, about)
    }

    /// Serves `PATCH` as well.
    pub(in super::super) fn patch<H: Handler<T, Arc<Api>>, T: 'static>(
        self,
        handler: H,
        about: About,
    ) -> Self {
        self.with((MethodFilter::PATCH, Method::PATCH), handler, about)
    }

    /// Serves `DELETE` as well.
    pub(in super::super) fn delete<H: Handler<T, Arc<Api>>, T: 'static>(
        self,
        handler: H,
        about: About,
    ) -> Self {
        self.with((MethodFilter::DELETE, Method::DELETE), handler, about)
    }

    /// Refuses further methods.
    pub(in super::super) fn refuses(mut self, methods: MethodFilter, refusal: Refusal) -> Self {
        self.router = match refusal {
            Refusal::AsAWhole => self.router.on(methods, root::not_on_a_collection),
            Refusal::WithinAnother => self.router.on(methods, root::not_within_another),
            Refusal::NoSuchMethod => self.router.on(methods, root::no_such_method),
            Refusal::OnlyListed => self.router.on(methods, root::only_listed),
        };
        self
    }

    /// Takes bodies here that bring this, and may be larger than others.
    pub(in super::super) fn body_limit(mut self, brings: Brings) -> Self {
        self.router = self.router.layer(Extension(BodyLimit(brings)));
        self
    }
}

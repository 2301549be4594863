//! On whose behalf something is done: the name of the request, through everything that it leads
//! to before the node is given back.

use std::sync::Arc;

use futures::future::Either;

tokio::task_local! {
    static REQUEST: Arc<str>;
}

/// Does something on behalf of a request. One without a name is nobody's.
pub(crate) fn on_behalf_of<T>(
    request: &str,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    if request.is_empty() {
        return Either::Left(work);
    }
    Either::Right(REQUEST.scope(Arc::from(request), work))
}

/// The name of the request on whose behalf this is done.
pub(super) fn current() -> Option<Arc<str>> {
    REQUEST.try_with(Arc::clone).ok()
}

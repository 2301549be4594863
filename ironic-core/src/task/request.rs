//! On whose behalf something is done: the name of the request, through everything that it leads
//! to before the node is given back.

use std::sync::Arc;

tokio::task_local! {
    static REQUEST: Arc<str>;
}

/// Does something on behalf of a request. One without a name is nobody's.
pub(crate) async fn on_behalf_of<T>(request: &str, work: impl Future<Output = T>) -> T {
    if request.is_empty() {
        return work.await;
    }
    REQUEST.scope(Arc::from(request), work).await
}

/// The name of the request on whose behalf this is done.
pub(super) fn current() -> Option<Arc<str>> {
    REQUEST.try_with(Arc::clone).ok()
}

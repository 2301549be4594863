//! What panics is told of: tokio keeps it from ending the process, and tells nobody.

/// What the line of the log says that tells of a panic.
pub(crate) const PANICKED: &str = "a defect: work has panicked, and was dropped";

/// Does work, and logs if it panics.
pub(crate) fn watched<T>(
    what: &'static str,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    // What an async block takes and awaits it has room for twice, so it takes a pointer.
    let work = Box::pin(work);
    async move {
        let _watch = Watch(what);
        work.await
    }
}

struct Watch(&'static str);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(what = self.0, "{PANICKED}");
        }
    }
}

use ironic_standalone::Host;

use crate::peer::{ask, config, document};

#[tokio::test]
async fn the_page_shows_everything_and_needs_nothing_from_elsewhere() {
    let host = Host::builder(config()).start().await.unwrap();
    let page = ask(&host, "GET", "/docs", None).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(
        !page.text.contains("://"),
        "something is had from elsewhere"
    );
    let document = document(&host).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(
            page.text.contains(&format!("<code>{path}</code>")),
            "{path}"
        );
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(
                page.text.contains(&format!("<details id=\"{id}\">")),
                "{id}"
            );
        }
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            page.text.contains(&format!("id=\"schema-{name}\"")),
            "{name}"
        );
    }
    // Every link within the page leads somewhere.
    for link in page.text.split("href=\"#").skip(1) {
        let id = link.split('"').next().unwrap();
        assert!(page.text.contains(&format!("id=\"{id}\"")), "{id}");
    }
    for (file, kind) in [("page.css", "text/css"), ("page.js", "text/javascript")] {
        assert!(page.text.contains(&format!("\"docs/{file}\"")));
        let answer = ask(&host, "GET", &format!("/docs/{file}"), None).await;
        assert_eq!(
            answer.headers["content-type"],
            format!("{kind}; charset=utf-8")
        );
        assert!(!answer.text.is_empty());
    }
    host.stop().await.unwrap();
}

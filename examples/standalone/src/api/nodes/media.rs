//! `/v1/nodes/{ident}/vmedia`: images that a BMC shows to its machine as disks.

use axum::Json;
use http::StatusCode;
use ironic_core::driver::VirtualMediaDevice;
use serde_json::{Value, json};

use super::super::arguments::{Document, QueryArguments};
use super::super::caller::{Caller, Ident};
use super::super::fault::Fault;
use super::super::version::since;

/// Who fetches the image. The BMC does so here, whichever of these is asked for.
pub(super) const SOURCES: &[&str] = &["http", "local", "swift"];

/// `GET vmedia`.
pub(super) async fn list(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    if !caller.version.has(since::SHOW_VIRTUAL_MEDIA) {
        let from = since::SHOW_VIRTUAL_MEDIA;
        let message = format!("virtual media are shown since version 1.{from} of the API");
        return Err(Fault::not_found(message));
    }
    let node = caller.node("baremetal:node:vmedia:get", &ident).await?;
    let slots = caller.client.virtual_media(node.uuid).await?;
    Ok(Json(json!(slots)))
}

/// `POST vmedia`.
pub(super) async fn attach(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let (device, image_url) = attachment(body)?;
    let node = caller.node("baremetal:node:vmedia:attach", &ident).await?;
    let attached = caller
        .client
        .attach_virtual_media(node.uuid, device, &image_url);
    attached.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The kind of slot and the image that a body names.
fn attachment(body: Option<Value>) -> Result<(VirtualMediaDevice, String), Fault> {
    let wrong = || Fault::bad("the body must be a JSON object with device_type and image_url");
    let Some(Value::Object(mut body)) = body else {
        return Err(wrong());
    };
    let (Some(Value::String(kind)), Some(Value::String(url))) =
        (body.remove("device_type"), body.remove("image_url"))
    else {
        return Err(wrong());
    };
    match body.remove("image_download_source") {
        None => {}
        Some(Value::String(source)) if SOURCES.contains(&source.as_str()) => {}
        Some(_) => {
            let known = SOURCES.join(", ");
            return Err(Fault::bad(format!(
                "image_download_source must be one of {known}"
            )));
        }
    }
    if !body.is_empty() {
        return Err(wrong());
    }
    Ok((device(&kind)?, url))
}

fn device(name: &str) -> Result<VirtualMediaDevice, Fault> {
    name.parse()
        .map_err(|error| Fault::bad(format!("device_type: {error}")))
}

/// `DELETE vmedia`.
pub(super) async fn detach(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
) -> Result<StatusCode, Fault> {
    let named = query.list("device_types")?;
    query.end()?;
    let devices = named.unwrap_or_default();
    let devices = devices.iter().map(|name| device(name));
    let devices: Vec<_> = devices.collect::<Result<_, _>>()?;
    let node = caller.node("baremetal:node:vmedia:detach", &ident).await?;
    caller
        .client
        .detach_virtual_media(node.uuid, &devices)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::attachment;

    #[test]
    fn what_an_attachment_says() {
        let body = json!({"device_type": "cdrom", "image_url": "http://h/i.iso"});
        assert!(attachment(Some(body.clone())).is_ok());
        for (name, value) in [
            ("device_type", json!("tape")),
            ("device_type", json!(1)),
            ("image_url", json!(null)),
            ("image_download_source", json!("ftp")),
            ("nosuch", json!(1)),
        ] {
            let mut wrong = body.clone();
            wrong[name] = value;
            assert!(attachment(Some(wrong)).is_err(), "{name}");
        }
        assert!(attachment(None).is_err());
    }
}

//! Whose a machine is while it has an instance.

use ironic_core::client::Client;
use ironic_core::config::LesseeSource;
use ironic_core::states::{ProvisionState as S, Verb};
use ironic_core::transport::{Change, RequestContext};
use uuid::Uuid;

use crate::house::{House, available, go};

/// Deploys for the instance of project `p1`, on behalf of project `p2`, and removes the instance:
/// who the lessee was, and who is afterwards.
async fn leased(client: &Client, node: Uuid) -> (Option<String>, Option<String>) {
    let project = vec![Change::set("instance_info/project_id", "p1")];
    client.update_node(node, project).await.unwrap();
    let mut context = RequestContext::default();
    context.project = Some("p2".to_owned());
    let asker = client.with_context(context);
    let active = go(&asker, node, Verb::Deploy, S::Active).await;
    let back = go(&asker, node, Verb::Undeploy, S::Available).await;
    (active.lessee, back.lessee)
}

#[tokio::test(start_paused = true)]
async fn a_lessee_comes_and_goes_with_the_instance() {
    for (automatic, source, wanted) in [
        (true, LesseeSource::Instance, Some("p1")),
        (true, LesseeSource::Request, Some("p2")),
        (true, LesseeSource::None, None),
        (false, LesseeSource::Instance, None),
    ] {
        let mut house = House::new();
        house.config.automatic_lessee = automatic;
        house.config.automatic_lessee_source = source;
        let conductor = house.conductor("cond-a").await;
        let client = house.client(&conductor);
        let node = available(&client).await;
        let (during, after) = leased(&client, node).await;
        assert_eq!(during.as_deref(), wanted, "{source}");
        assert_eq!(after, None, "{source}");
        conductor.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_lessee_that_was_there_before_stays() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let own = vec![Change::set("lessee", "p9")];
    client.update_node(node, own).await.unwrap();
    let (during, after) = leased(&client, node).await;
    assert_eq!(during.as_deref(), Some("p9"));
    assert_eq!(after.as_deref(), Some("p9"));
    conductor.stop().await.unwrap();
}

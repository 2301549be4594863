use ironic_core::store::{Batch, Expect, Kind, Op, Persistent, Record, Repository, Revision};
use ironic_core::{Error, Node};

/// How many nodes are written in one batch.
const BATCH: usize = 100;

/// Writes these nodes as they are, a hundred in a batch.
///
/// # Errors
/// What the store answers.
pub async fn fill(
    repository: &Repository,
    nodes: impl IntoIterator<Item = Node>,
) -> Result<(), Error> {
    let mut nodes = nodes.into_iter();
    loop {
        let ops = nodes.by_ref().take(BATCH).map(|node| {
            let record = Record {
                kind: Kind::Node,
                id: node.uuid,
                created: Revision::default(),
                revision: Revision::default(),
                schema: Node::SCHEMA,
                keys: node.keys(),
                body: serde_json::value::to_raw_value(&node)
                    .map_err(|error| Error::internal(error.to_string()))?
                    .into(),
            };
            let expect = Expect::Absent;
            Ok(Op::Put { record, expect })
        });
        let ops = ops.collect::<Result<Vec<_>, Error>>()?;
        if ops.is_empty() {
            return Ok(());
        }
        repository.commit(Batch { fence: None, ops }).await?;
    }
}

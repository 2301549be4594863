-- Fields that are asked for by their value become columns, which an index can be over: one over a
-- call that takes the body apart is written anew whenever the body is, and so were nine for a node
-- of which nothing had changed that is in any of them.
ALTER TABLE records RENAME TO records_3;
CREATE TABLE records (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    created INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    keys TEXT NOT NULL,

    -- Of nodes alone, each as the JSON that stands in the body.
    uuid TEXT,
    name TEXT,
    instance_uuid TEXT,
    power_state TEXT,
    provision_state TEXT,
    maintenance TEXT,
    parent_node TEXT,

    -- What json_extract finds in the body, whatever it is.
    by_node_uuid ANY,
    by_provision_state ANY,
    by_driver ANY,
    by_resource_class ANY,
    by_conductor_group ANY,
    by_owner ANY,
    by_lessee ANY,
    by_shard ANY,
    by_name ANY,
    by_address ANY,
    by_holder ANY,
    by_parent_node ANY,
    by_state ANY,
    -- What json_type says of it.
    by_maintenance TEXT,
    by_console_enabled TEXT,

    -- Last, as all that stands behind something long is far from the beginning of its row.
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
INSERT INTO records SELECT
    kind, id, created, revision, schema, keys,
    uuid, name, instance_uuid, power_state, provision_state, maintenance, parent_node,
    json_extract(body, '$."node_uuid"'),
    json_extract(body, '$."provision_state"'),
    json_extract(body, '$."driver"'),
    json_extract(body, '$."resource_class"'),
    json_extract(body, '$."conductor_group"'),
    json_extract(body, '$."owner"'),
    json_extract(body, '$."lessee"'),
    json_extract(body, '$."shard"'),
    json_extract(body, '$."name"'),
    json_extract(body, '$."address"'),
    json_extract(body, '$."holder"'),
    json_extract(body, '$."parent_node"'),
    json_extract(body, '$."state"'),
    json_type(body, '$."maintenance"'),
    json_type(body, '$."console_enabled"'),
    body
    FROM records_3;
DROP TABLE records_3;

-- What the planner is to expect, as before; first, as a table that changes has this read anew.
DELETE FROM sqlite_stat1 WHERE tbl <> 'unique_keys';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('records', 'sqlite_autoindex_records_1', '60000 6000 1'),
    ('records', 'records_by_creation', '60000 6000 1 1'),
    ('records', 'records_by_node_uuid', '40000 10000 4 1 1'),
    ('records', 'records_by_name', '20000 10000 1 1 1'),
    ('records', 'records_by_address', '20000 20000 1 1 1'),
    ('records', 'records_by_holder', '1000 1000 100 1 1'),
    ('records', 'records_by_maintenance', '1000 1000 1000 1 1'),
    ('records', 'records_by_parent_node', '1000 1000 4 1 1'),
    ('records', 'records_by_state', '1000 1000 100 1 1'),
    ('records', 'records_by_console_enabled', '1000 1000 1000 1 1'),
    ('records', 'records_by_provision_state', '10000 10000 100 1 1'),
    ('records', 'records_by_driver', '10000 10000 100 1 1'),
    ('records', 'records_by_resource_class', '10000 10000 100 1 1'),
    ('records', 'records_by_conductor_group', '10000 10000 100 1 1'),
    ('records', 'records_by_owner', '10000 10000 100 1 1'),
    ('records', 'records_by_lessee', '10000 10000 100 1 1'),
    ('records', 'records_by_shard', '10000 10000 100 1 1');

CREATE INDEX records_by_creation ON records (kind, created, id);
CREATE INDEX node_summaries ON records (
    created, id, revision, schema, keys,
    uuid, name, instance_uuid, power_state, provision_state, maintenance, parent_node
) WHERE kind = 'node';
CREATE INDEX records_by_node_uuid ON records (kind, by_node_uuid, created, id)
    WHERE by_node_uuid IS NOT NULL;
CREATE INDEX records_by_provision_state ON records (kind, by_provision_state, created, id)
    WHERE by_provision_state IS NOT NULL;
CREATE INDEX records_by_driver ON records (kind, by_driver, created, id)
    WHERE by_driver IS NOT NULL;
CREATE INDEX records_by_resource_class ON records (kind, by_resource_class, created, id)
    WHERE by_resource_class IS NOT NULL;
CREATE INDEX records_by_conductor_group ON records (kind, by_conductor_group, created, id)
    WHERE by_conductor_group IS NOT NULL;
CREATE INDEX records_by_owner ON records (kind, by_owner, created, id)
    WHERE by_owner IS NOT NULL;
CREATE INDEX records_by_lessee ON records (kind, by_lessee, created, id)
    WHERE by_lessee IS NOT NULL;
CREATE INDEX records_by_shard ON records (kind, by_shard, created, id)
    WHERE by_shard IS NOT NULL;
CREATE INDEX records_by_name ON records (kind, by_name, created, id)
    WHERE by_name IS NOT NULL;
CREATE INDEX records_by_address ON records (kind, by_address, created, id)
    WHERE by_address IS NOT NULL;
CREATE INDEX records_by_holder ON records (kind, by_holder, created, id)
    WHERE by_holder IS NOT NULL;
CREATE INDEX records_by_parent_node ON records (kind, by_parent_node, created, id)
    WHERE by_parent_node IS NOT NULL;
CREATE INDEX records_by_state ON records (kind, by_state, created, id)
    WHERE by_state IS NOT NULL;
CREATE INDEX records_by_maintenance ON records (kind, by_maintenance, created, id)
    WHERE by_maintenance IS NOT NULL;
CREATE INDEX records_by_console_enabled ON records (kind, by_console_enabled, created, id)
    WHERE by_console_enabled IS NOT NULL;

-- Has what stands above read at once, on this connection as well.
ANALYZE sqlite_schema;

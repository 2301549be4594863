CREATE TABLE records (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    created INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    keys TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;

CREATE INDEX records_by_creation ON records (kind, created, id);

CREATE TABLE unique_keys (
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (kind, field, value)
) STRICT, WITHOUT ROWID;

-- The highest revision given so far: one row.
CREATE TABLE revision (value INTEGER NOT NULL) STRICT;
INSERT INTO revision VALUES (0);

-- Fields that are asked for by their value. A record without the field is in no index of it.
CREATE INDEX records_by_node_uuid ON records (kind, json_extract(body, '$."node_uuid"'), created, id)
    WHERE json_extract(body, '$."node_uuid"') IS NOT NULL;
CREATE INDEX records_by_provision_state ON records (kind, json_extract(body, '$."provision_state"'), created, id)
    WHERE json_extract(body, '$."provision_state"') IS NOT NULL;
CREATE INDEX records_by_driver ON records (kind, json_extract(body, '$."driver"'), created, id)
    WHERE json_extract(body, '$."driver"') IS NOT NULL;
CREATE INDEX records_by_resource_class ON records (kind, json_extract(body, '$."resource_class"'), created, id)
    WHERE json_extract(body, '$."resource_class"') IS NOT NULL;
CREATE INDEX records_by_conductor_group ON records (kind, json_extract(body, '$."conductor_group"'), created, id)
    WHERE json_extract(body, '$."conductor_group"') IS NOT NULL;
CREATE INDEX records_by_owner ON records (kind, json_extract(body, '$."owner"'), created, id)
    WHERE json_extract(body, '$."owner"') IS NOT NULL;
CREATE INDEX records_by_name ON records (kind, json_extract(body, '$."name"'), created, id)
    WHERE json_extract(body, '$."name"') IS NOT NULL;
CREATE INDEX records_by_address ON records (kind, json_extract(body, '$."address"'), created, id)
    WHERE json_extract(body, '$."address"') IS NOT NULL;
CREATE INDEX records_by_holder ON records (kind, json_extract(body, '$."holder"'), created, id)
    WHERE json_extract(body, '$."holder"') IS NOT NULL;
CREATE INDEX records_by_maintenance ON records (kind, json_type(body, '$."maintenance"'), created, id)
    WHERE json_type(body, '$."maintenance"') IS NOT NULL;

-- What the planner is to expect, as it knows nothing about an empty table: about as much as a
-- fleet of 10,000 machines has. Without it, it takes reading all nodes for cheap.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('records', 'sqlite_autoindex_records_1', '60000 6000 1'),
    ('records', 'records_by_creation', '60000 6000 1 1'),
    ('records', 'records_by_node_uuid', '40000 10000 4 1 1'),
    ('records', 'records_by_provision_state', '10000 10000 1000 1 1'),
    ('records', 'records_by_driver', '10000 10000 1000 1 1'),
    ('records', 'records_by_resource_class', '10000 10000 1000 1 1'),
    ('records', 'records_by_conductor_group', '10000 10000 1000 1 1'),
    ('records', 'records_by_owner', '10000 10000 1000 1 1'),
    ('records', 'records_by_name', '20000 10000 1 1 1'),
    ('records', 'records_by_address', '20000 20000 1 1 1'),
    ('records', 'records_by_holder', '1000 1000 100 1 1'),
    ('records', 'records_by_maintenance', '1000 1000 1000 1 1'),
    ('unique_keys', 'unique_keys', '40000 20000 20000 1');

-- Of these, too, about as much as a fleet of 10,000 machines has; first, as in the step before.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('records', 'records_by_lessee', '10000 10000 100 1 1'),
    ('records', 'records_by_shard', '10000 10000 100 1 1'),
    ('records', 'records_by_parent_node', '1000 1000 4 1 1'),
    ('records', 'records_by_state', '1000 1000 100 1 1'),
    ('records', 'records_by_console_enabled', '1000 1000 1000 1 1');

CREATE INDEX records_by_lessee ON records (kind, json_extract(body, '$."lessee"'), created, id)
    WHERE json_extract(body, '$."lessee"') IS NOT NULL;
CREATE INDEX records_by_shard ON records (kind, json_extract(body, '$."shard"'), created, id)
    WHERE json_extract(body, '$."shard"') IS NOT NULL;
CREATE INDEX records_by_parent_node ON records (kind, json_extract(body, '$."parent_node"'), created, id)
    WHERE json_extract(body, '$."parent_node"') IS NOT NULL;
CREATE INDEX records_by_state ON records (kind, json_extract(body, '$."state"'), created, id)
    WHERE json_extract(body, '$."state"') IS NOT NULL;
CREATE INDEX records_by_console_enabled ON records (kind, json_type(body, '$."console_enabled"'), created, id)
    WHERE json_type(body, '$."console_enabled"') IS NOT NULL;

-- Has what stands above read at once, on this connection as well.
ANALYZE sqlite_schema;

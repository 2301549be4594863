-- First, as a table that changes has this read anew. With a tenth of the fleet in one state the
-- planner takes reading all nodes for cheaper than looking for those in a few states.
UPDATE sqlite_stat1 SET stat = '10000 10000 100 1 1' WHERE idx IN (
    'records_by_provision_state', 'records_by_driver', 'records_by_resource_class',
    'records_by_conductor_group', 'records_by_owner'
);

-- What a list of nodes shows, each as the JSON that stands in the body, so that it comes back as
-- it was put whatever it is, and what such a list leaves nodes out by. Other kinds have none.
ALTER TABLE records ADD COLUMN uuid TEXT;
ALTER TABLE records ADD COLUMN name TEXT;
ALTER TABLE records ADD COLUMN instance_uuid TEXT;
ALTER TABLE records ADD COLUMN power_state TEXT;
ALTER TABLE records ADD COLUMN provision_state TEXT;
ALTER TABLE records ADD COLUMN maintenance TEXT;
ALTER TABLE records ADD COLUMN parent_node TEXT;
UPDATE records SET
    uuid = body -> '$."uuid"',
    name = body -> '$."name"',
    instance_uuid = body -> '$."instance_uuid"',
    power_state = body -> '$."power_state"',
    provision_state = body -> '$."provision_state"',
    maintenance = body -> '$."maintenance"',
    parent_node = body -> '$."parent_node"'
    WHERE kind = 'node';

-- All that the list needs, so that it reads no bodies.
CREATE INDEX node_summaries ON records (
    created, id, revision, schema, keys,
    uuid, name, instance_uuid, power_state, provision_state, maintenance, parent_node
) WHERE kind = 'node';

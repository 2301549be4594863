-- All text is compared by its bytes, whatever the database's own collation.
CREATE TABLE records (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    revision bigint NOT NULL,
    schema integer NOT NULL,
    keys text NOT NULL,
    -- As it was put, to the last byte.
    body text NOT NULL,
    -- The same to be asked, where the body itself cannot be: jsonb has no U+0000.
    document jsonb,

    -- What a list of nodes shows, each as the JSON that stands in the body; and what such a list
    -- leaves nodes out by. Other kinds have none.
    uuid text,
    name text,
    instance_uuid text,
    power_state text,
    provision_state text,
    maintenance text,
    parent_node text,

    -- Members that are looked up by their text (up to 1,024 bytes: an index takes no more) or
    -- their truth.
    by_node_uuid text COLLATE "C",
    by_provision_state text COLLATE "C",
    by_driver text COLLATE "C",
    by_resource_class text COLLATE "C",
    by_conductor_group text COLLATE "C",
    by_owner text COLLATE "C",
    by_lessee text COLLATE "C",
    by_shard text COLLATE "C",
    by_name text COLLATE "C",
    by_address text COLLATE "C",
    by_holder text COLLATE "C",
    by_parent_node text COLLATE "C",
    by_state text COLLATE "C",
    by_maintenance boolean,
    by_console_enabled boolean,

    PRIMARY KEY (kind, id),
    -- What would make every query fail that looks at it is refused, not kept.
    CONSTRAINT records_body_is_json CHECK (coalesce(document, body::jsonb) IS NOT NULL)
);

CREATE INDEX records_by_creation ON records (kind, created, id);

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

CREATE TABLE unique_keys (
    kind text COLLATE "C" NOT NULL,
    -- SHA-256 of field and value, which may be longer than an index takes.
    digest text COLLATE "C" NOT NULL,
    field text NOT NULL,
    value text NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, digest)
);

-- The highest revision given so far: one row. Who locks it is the one who writes.
CREATE TABLE revision (value bigint NOT NULL);
INSERT INTO revision VALUES (0);

-- A JSON number as a 64-bit float: what is beyond the largest is infinite, what is below the
-- smallest is nothing. A cast would fail.
CREATE FUNCTION ironic_number(number jsonb) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN abs(number::numeric) >= 1.797693134862315808e308
            THEN sign(number::numeric)::double precision * 'Infinity'::double precision
        WHEN abs(number::numeric) < 3e-324 THEN 0
        ELSE number::numeric::double precision
    END
$$;

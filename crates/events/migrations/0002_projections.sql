-- The generations of this consumer's projections: at most one is `read`, at most one is `building` beside it. Those that
-- were `left` are swept; the row of one that is `swept` stays, so that a number is used once.
CREATE TABLE freehold_projection (
    projection TEXT NOT NULL,
    generation BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('building', 'read', 'left', 'swept')),
    reason     TEXT NOT NULL,
    begun_ms   BIGINT NOT NULL,
    read_ms    BIGINT,
    PRIMARY KEY (projection, generation)
) STRICT;

CREATE UNIQUE INDEX freehold_projection_one ON freehold_projection (projection, state)
    WHERE state IN ('building', 'read');

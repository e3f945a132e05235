-- Every ride, for ever. Degrees are times 10^7, times in milliseconds since 1970; what is not yet is '' or 0.
CREATE TABLE ride (
    id TEXT PRIMARY KEY,
    rider_id TEXT NOT NULL,
    driver_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('REQUESTED', 'ACCEPTED', 'STARTED', 'FINISHED', 'CANCELLED')),
    pickup_latitude_e7 BIGINT NOT NULL,
    pickup_longitude_e7 BIGINT NOT NULL,
    destination_latitude_e7 BIGINT NOT NULL,
    destination_longitude_e7 BIGINT NOT NULL,
    requested_ms BIGINT NOT NULL,
    accepted_ms BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    reason TEXT NOT NULL,
    permit_version BIGINT NOT NULL -- of the copied permit by which the driver took it
) STRICT;

CREATE INDEX ride_by_rider ON ride (rider_id, id);
CREATE INDEX ride_by_driver ON ride (driver_id, id);

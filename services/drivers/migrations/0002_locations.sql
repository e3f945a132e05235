-- Where each driver was last: the newest entry of its track.
CREATE TABLE latest_location (
    driver_number BIGINT PRIMARY KEY REFERENCES driver (number) ON DELETE CASCADE,
    track_id BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    latitude_e7 BIGINT NOT NULL,
    longitude_e7 BIGINT NOT NULL,
    heading_degrees BIGINT,
    speed_cm_per_s BIGINT
) STRICT;

-- Where each driver was, in the order in which it came in; each entry leads to the one before it of the same driver.
-- Nothing in it ever changes; see docs/decisions.
CREATE TABLE track (
    id BIGINT PRIMARY KEY,
    previous_id BIGINT,
    driver_number BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    latitude_e7 BIGINT NOT NULL,
    longitude_e7 BIGINT NOT NULL,
    heading_degrees BIGINT,
    speed_cm_per_s BIGINT
) STRICT;

-- The newest entry of a driver's track in an hour that is over for it: where to enter a track that is asked for late.
CREATE TABLE track_entrance (
    bucket BIGINT NOT NULL,
    driver_number BIGINT NOT NULL,
    track_id BIGINT NOT NULL,
    PRIMARY KEY (bucket, driver_number)
) STRICT, WITHOUT ROWID;

-- The last entry that came in within an hour: all up to it go together. The newest of these is the last entry there is.
CREATE TABLE track_bucket (
    bucket BIGINT PRIMARY KEY,
    last_id BIGINT NOT NULL
) STRICT;

-- Drivers that were erased and whose tracks are still to go, from this entry back.
CREATE TABLE erased_track (
    driver_number BIGINT PRIMARY KEY,
    track_id BIGINT NOT NULL
) STRICT;

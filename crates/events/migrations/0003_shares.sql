-- Several instances of a consumer divide a subscription's keys among themselves. `freehold_position` stays the whole: all
-- up to it has taken effect in every share, and what no instance holds stands there. `fence` is raised by every change of
-- the division.
ALTER TABLE freehold_position ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;

-- What an instance holds: its shares as a mask, the fence since which it does, how often it has shown that it lives, and
-- where its shares stand.
CREATE TABLE freehold_portion (
    subscription TEXT NOT NULL,
    holder       TEXT NOT NULL,
    shares       BIGINT NOT NULL,
    fence        BIGINT NOT NULL,
    beat         BIGINT NOT NULL,
    epoch        BIGINT NOT NULL,
    mark         BIGINT NOT NULL,
    starts       BIGINT NOT NULL,
    PRIMARY KEY (subscription, holder)
) STRICT;

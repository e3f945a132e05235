CREATE TRIGGER order_event_stays BEFORE UPDATE ON order_event
BEGIN
    SELECT RAISE(ABORT, 'an event of an order is never changed');
END;

CREATE TRIGGER order_event_remains BEFORE DELETE ON order_event
BEGIN
    SELECT RAISE(ABORT, 'an event of an order is never removed');
END;

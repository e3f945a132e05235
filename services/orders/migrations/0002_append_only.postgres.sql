CREATE FUNCTION order_event_is_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an event of an order is never changed or removed';
END;
$$;

CREATE TRIGGER order_event_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON order_event
    FOR EACH STATEMENT EXECUTE FUNCTION order_event_is_for_ever();

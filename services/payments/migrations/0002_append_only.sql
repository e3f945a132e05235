CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'a ledger entry is never changed');
END;

CREATE TRIGGER ledger_entry_remains BEFORE DELETE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'a ledger entry is never removed');
END;

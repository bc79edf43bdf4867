-- What the client calls its request by, beside our own id of it: its
-- X-Request-Id, and the trace that its traceparent names.
--
-- min_reader: 31

-- done: SELECT COUNT(*) = 2 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'audit'
--       AND COLUMN_NAME IN ('client_request_id', 'trace_id')
ALTER TABLE audit ADD COLUMN client_request_id VARCHAR(64) NULL,
    ADD COLUMN trace_id VARCHAR(32) NULL;

-- done: SELECT COUNT(*) = 2 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'job'
--       AND COLUMN_NAME IN ('client_request_id', 'trace_id')
ALTER TABLE job ADD COLUMN client_request_id VARCHAR(64) NULL,
    ADD COLUMN trace_id VARCHAR(32) NULL;

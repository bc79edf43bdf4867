-- external_id, the settings of an HDFS vault and the body of a stage are sealed
-- as ak and sk are. Rows that are there already are plain until they are
-- written again, or metagate rotate-key is run; they are read as they are.
-- A worker of before would take what is sealed for the text itself.
--
-- min_reader: 36

-- done: SELECT CHARACTER_MAXIMUM_LENGTH = 2048
--       FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_instance'
--       AND COLUMN_NAME = 'ram_external_id'
ALTER TABLE doris_instance
    MODIFY COLUMN ram_external_id VARCHAR(2048) NULL;

-- done: SELECT CHARACTER_MAXIMUM_LENGTH = 2048
--       FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_obj_info'
--       AND COLUMN_NAME = 'external_id'
ALTER TABLE doris_obj_info
    MODIFY COLUMN external_id VARCHAR(2048) NULL;

-- Beside obj_conf, as its keys are; before it was a member of it, and stays one
-- until the vault is written again.
-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_vault'
--       AND COLUMN_NAME = 'external_id'
ALTER TABLE doris_vault
    ADD COLUMN external_id VARCHAR(2048) NULL;

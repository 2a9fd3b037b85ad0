-- A git pack is compressed already: trying again costs seconds of the only thread for a large one.
ALTER TABLE "patches" ALTER COLUMN "pack" SET STORAGE EXTERNAL;

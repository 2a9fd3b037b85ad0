-- A git pack is compressed already: trying again costs seconds of the only thread for a large one.
ALTER TABLE "pack_pieces" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;

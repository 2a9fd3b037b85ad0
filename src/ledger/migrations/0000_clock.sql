-- The ledger's clock: slots, leases and limits ask it and nothing else.
-- The offset exists for tests, which move the clock; a service never writes it.
CREATE TABLE "clock_offset" (
	"only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
	"ahead" interval NOT NULL
);
--> statement-breakpoint
INSERT INTO "clock_offset" ("ahead") VALUES ('0');
--> statement-breakpoint
-- Stable, so that an index can be searched by it: within one statement any of its readings will do.
CREATE FUNCTION clock() RETURNS timestamp with time zone LANGUAGE sql STABLE
	AS $$ SELECT clock_timestamp() + (SELECT "ahead" FROM "clock_offset") $$;

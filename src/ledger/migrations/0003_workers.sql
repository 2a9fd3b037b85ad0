CREATE TABLE "workers" (
	"id" text PRIMARY KEY NOT NULL,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"slots" integer NOT NULL,
	"started_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"stopping" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "tokens" jsonb;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "session" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "waits" integer DEFAULT 0 NOT NULL;
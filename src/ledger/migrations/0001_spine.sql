CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"event" text NOT NULL,
	"headers" jsonb NOT NULL,
	"body" "bytea" NOT NULL,
	"outcome" text,
	"reason" text,
	"received_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "firings" (
	"id" text PRIMARY KEY NOT NULL,
	"routine" text NOT NULL,
	"trigger_key" text NOT NULL,
	"trigger" text NOT NULL,
	"outcome" text NOT NULL,
	"reason" text,
	"run" text,
	"inputs" jsonb NOT NULL,
	"at" timestamp with time zone,
	"by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "routine_versions" (
	"routine" text NOT NULL,
	"hash" text NOT NULL,
	"file" text NOT NULL,
	"source" text NOT NULL,
	"commit" text,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "routine_versions_routine_hash_pk" PRIMARY KEY("routine","hash")
);
--> statement-breakpoint
CREATE TABLE "routines" (
	"name" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"file" text NOT NULL,
	"error" text,
	"removed_at" timestamp with time zone,
	"applied_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"routine" text NOT NULL,
	"cron" text NOT NULL,
	"timezone" text NOT NULL,
	"next_fire_at" timestamp with time zone,
	CONSTRAINT "schedules_routine_cron_timezone_pk" PRIMARY KEY("routine","cron","timezone")
);
--> statement-breakpoint
CREATE TABLE "slots" (
	"routine" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"outcome" text NOT NULL,
	"late" boolean DEFAULT false NOT NULL,
	"reason" text,
	"firing" text,
	"recorded_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "slots_routine_at_pk" PRIMARY KEY("routine","at")
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"data" jsonb NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pack_pieces" (
	"run" text NOT NULL,
	"piece" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	CONSTRAINT "pack_pieces_run_piece_pk" PRIMARY KEY("run","piece")
);
--> statement-breakpoint
CREATE TABLE "patches" (
	"run" text PRIMARY KEY NOT NULL,
	"base" text NOT NULL,
	"tree" text NOT NULL,
	"changes" jsonb NOT NULL,
	"findings" jsonb NOT NULL,
	"diff" text NOT NULL,
	"diff_cut" boolean NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "publications" (
	"run" text PRIMARY KEY NOT NULL,
	"routine" text NOT NULL,
	"subject" text NOT NULL,
	"repository" text NOT NULL,
	"branch" text NOT NULL,
	"base" text NOT NULL,
	"commit" text NOT NULL,
	"pull" text,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pulls" (
	"id" text PRIMARY KEY NOT NULL,
	"repository" text NOT NULL,
	"number" integer NOT NULL,
	"branch" text NOT NULL,
	"base" text NOT NULL,
	"head" text NOT NULL,
	"title" text NOT NULL,
	"body" text NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"draft" boolean NOT NULL,
	"labels" jsonb NOT NULL,
	"routine" text NOT NULL,
	"subject" text NOT NULL,
	"run" text NOT NULL,
	"merge_commit" text,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "attempts" (
	"run" text NOT NULL,
	"number" integer NOT NULL,
	"fence" integer NOT NULL,
	"worker" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"ended_at" timestamp with time zone,
	"outcome" text,
	"error" text,
	"transcript_bytes" double precision,
	"transcript_sha" text,
	"transcript_tail" text,
	CONSTRAINT "attempts_run_fence_pk" PRIMARY KEY("run","fence")
);
--> statement-breakpoint
CREATE TABLE "run_events" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"run" text NOT NULL,
	"fence" integer NOT NULL,
	"kind" text NOT NULL,
	"data" jsonb NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"routine" text NOT NULL,
	"hash" text NOT NULL,
	"file" text NOT NULL,
	"trigger" text NOT NULL,
	"trigger_key" text NOT NULL,
	"retry_of" text,
	"inputs" jsonb NOT NULL,
	"slot_at" timestamp with time zone,
	"alone" boolean DEFAULT false NOT NULL,
	"repository_override" text,
	"subject" text NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"reason" text,
	"message" text,
	"title" text,
	"notes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"repository" text,
	"base" text,
	"base_commit" text,
	"sandbox" text,
	"engine" text NOT NULL,
	"exit" jsonb,
	"branch" text,
	"commit" text,
	"pull" text,
	"pull_number" integer,
	"pull_url" text,
	"files" integer,
	"cost_usd" double precision,
	"attempt" integer DEFAULT 0 NOT NULL,
	"losses" integer DEFAULT 0 NOT NULL,
	"fence" integer DEFAULT 0 NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp with time zone,
	"dispatched_at" timestamp with time zone,
	"not_before" timestamp with time zone DEFAULT clock() NOT NULL,
	"cancel_requested_at" timestamp with time zone,
	"approved_by" text,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE UNIQUE INDEX "firings_occasion" ON "firings" USING btree ("routine","trigger_key");--> statement-breakpoint
CREATE INDEX "firings_run" ON "firings" USING btree ("run");--> statement-breakpoint
CREATE INDEX "schedules_due" ON "schedules" USING btree ("next_fire_at");--> statement-breakpoint
CREATE INDEX "publications_branch" ON "publications" USING btree ("repository","branch");--> statement-breakpoint
CREATE UNIQUE INDEX "pulls_number" ON "pulls" USING btree ("repository","number");--> statement-breakpoint
CREATE UNIQUE INDEX "pulls_open_branch" ON "pulls" USING btree ("repository","branch") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "run_events_run" ON "run_events" USING btree ("run","id");--> statement-breakpoint
CREATE INDEX "runs_owed" ON "runs" USING btree ("not_before") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "runs_routine" ON "runs" USING btree ("routine","created_at");--> statement-breakpoint
CREATE INDEX "runs_recent" ON "runs" USING btree ("created_at");
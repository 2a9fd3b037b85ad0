CREATE TABLE "alerts" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"routine" text NOT NULL,
	"message" text NOT NULL,
	"raised_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"cleared_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "api_tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"routines" jsonb,
	"scopes" jsonb NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"used_at" timestamp with time zone,
	CONSTRAINT "api_tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "callbacks" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"run" text NOT NULL,
	"firing" text NOT NULL,
	"url" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"url" text NOT NULL,
	"body" jsonb NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"error" text,
	"not_before" timestamp with time zone DEFAULT clock() NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"sent_at" timestamp with time zone,
	"given_up_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "polls" (
	"source" text PRIMARY KEY NOT NULL,
	"next_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"has_baseline" boolean DEFAULT false NOT NULL,
	"etag" text,
	"last_modified" text,
	"failures" integer DEFAULT 0 NOT NULL,
	"error" text,
	"looked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL,
	"by" text NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "slots" ALTER COLUMN "outcome" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "key" text NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "signed" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "body_removed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "action" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "repository" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "sender" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "subject" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "replay_of" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "tries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "error" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "not_before" timestamp with time zone DEFAULT clock() NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "settled_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "firings" ADD COLUMN "delivery" text;--> statement-breakpoint
ALTER TABLE "firings" ADD COLUMN "payload" jsonb;--> statement-breakpoint
ALTER TABLE "firings" ADD COLUMN "payload_removed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "routines" ADD COLUMN "paused_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "routines" ADD COLUMN "paused_by" text;--> statement-breakpoint
ALTER TABLE "routines" ADD COLUMN "pause_reason" text;--> statement-breakpoint
ALTER TABLE "routines" ADD COLUMN "resumed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "routines" ADD COLUMN "rolled_back_from" text;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "since" timestamp with time zone DEFAULT clock() NOT NULL;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "catch_up" jsonb DEFAULT '{"mode":"last","maxAgeMs":21600000,"max":100}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "concurrency_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "parallel" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "routine_limit" integer;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "sender" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "depth" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "waits_for" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "caused_at" timestamp with time zone DEFAULT clock() NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "followers_owed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "follow_tries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "follow_not_before" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_open" ON "alerts" USING btree ("key") WHERE cleared_at is null;--> statement-breakpoint
CREATE INDEX "alerts_recent" ON "alerts" USING btree ("raised_at");--> statement-breakpoint
CREATE UNIQUE INDEX "callbacks_firing" ON "callbacks" USING btree ("firing","url");--> statement-breakpoint
CREATE INDEX "callbacks_run" ON "callbacks" USING btree ("run");--> statement-breakpoint
CREATE INDEX "outbox_owed" ON "outbox" USING btree ("not_before") WHERE sent_at is null and given_up_at is null;--> statement-breakpoint
CREATE INDEX "deliveries_owed" ON "deliveries" USING btree ("not_before") WHERE outcome is null;--> statement-breakpoint
CREATE INDEX "deliveries_recent" ON "deliveries" USING btree ("received_at");--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_signed" ON "deliveries" USING btree ("source","signed") WHERE signed is not null;--> statement-breakpoint
CREATE INDEX "deliveries_kept" ON "deliveries" USING btree ("settled_at") WHERE settled_at is not null and body_removed_at is null;--> statement-breakpoint
CREATE INDEX "firings_delivery" ON "firings" USING btree ("delivery");--> statement-breakpoint
CREATE INDEX "firings_recent" ON "firings" USING btree ("routine","created_at");--> statement-breakpoint
CREATE INDEX "firings_kept" ON "firings" USING btree ("created_at") WHERE payload is not null;--> statement-breakpoint
CREATE INDEX "slots_recent" ON "slots" USING btree ("at");--> statement-breakpoint
CREATE INDEX "slots_owed" ON "slots" USING btree ("at") WHERE outcome is null;--> statement-breakpoint
CREATE INDEX "runs_followers_owed" ON "runs" USING btree ("ended_at") WHERE followers_owed;--> statement-breakpoint
CREATE INDEX "runs_holding" ON "runs" USING btree ("created_at") WHERE ended_at is null and (lease_owner is not null or dispatched_at is not null);--> statement-breakpoint
CREATE INDEX "runs_group" ON "runs" USING btree ("routine","concurrency_key","created_at");
CREATE TABLE "sealed_secrets" (
	"name" text NOT NULL,
	"routine" text DEFAULT '' NOT NULL,
	"repository" text DEFAULT '' NOT NULL,
	"hosts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"sealed" "bytea" NOT NULL,
	"by" text NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "sealed_secrets_name_routine_repository_pk" PRIMARY KEY("name","routine","repository")
);

CREATE TABLE store_head (id INTEGER PRIMARY KEY CHECK (id = 0), version INTEGER NOT NULL) STRICT;

INSERT INTO store_head (id, version) VALUES (0, 0);

CREATE TABLE "account_revisions" (
  "ledger" TEXT NOT NULL,
  "address" TEXT NOT NULL,
  "log" INTEGER NOT NULL,
  "date" INTEGER NOT NULL,
  "metadata" TEXT NOT NULL,
  PRIMARY KEY ("ledger", "address", "log")
) STRICT, WITHOUT ROWID;

CREATE TABLE "accounts" (
  "ledger" TEXT NOT NULL,
  "address" TEXT NOT NULL,
  "metadata" TEXT NOT NULL,
  "first_usage" INTEGER NOT NULL,
  "insertion_date" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  PRIMARY KEY ("ledger", "address")
) STRICT, WITHOUT ROWID;

CREATE TABLE "event_positions" (
  "destination" TEXT NOT NULL,
  "ledger" TEXT NOT NULL,
  "last_log" INTEGER NOT NULL,
  PRIMARY KEY ("destination", "ledger")
) STRICT, WITHOUT ROWID;

CREATE TABLE "exporters" (
  "id" TEXT NOT NULL,
  "number" INTEGER NOT NULL,
  "driver" TEXT NOT NULL,
  "config" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "formance_client" (
  "id" TEXT NOT NULL,
  "number" INTEGER NOT NULL,
  "static" INTEGER NOT NULL,
  "options" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "formance_revoked_token" (
  "jti" TEXT NOT NULL,
  "expires_at" INTEGER NOT NULL,
  PRIMARY KEY ("jti")
) STRICT, WITHOUT ROWID;

CREATE INDEX "formance_revoked_token_by_expires_at" ON "formance_revoked_token" ("expires_at");

CREATE TABLE "formance_secret" (
  "client_id" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "number" INTEGER NOT NULL,
  "name" TEXT NOT NULL,
  "metadata" TEXT,
  "last_digits" TEXT NOT NULL,
  "digest" TEXT NOT NULL,
  PRIMARY KEY ("client_id", "id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "heads" (
  "ledger" TEXT NOT NULL,
  "log" INTEGER NOT NULL,
  "transaction" INTEGER NOT NULL,
  "date" INTEGER NOT NULL,
  "hash" BLOB NOT NULL,
  "hashed" INTEGER NOT NULL,
  "effective" INTEGER NOT NULL,
  PRIMARY KEY ("ledger")
) STRICT, WITHOUT ROWID;

CREATE TABLE "idempotency" (
  "ledger" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "log" INTEGER NOT NULL,
  PRIMARY KEY ("ledger", "key")
) STRICT, WITHOUT ROWID;

CREATE TABLE "leases" (
  "name" TEXT NOT NULL,
  "owner" TEXT NOT NULL,
  "until" INTEGER NOT NULL,
  PRIMARY KEY ("name")
) STRICT, WITHOUT ROWID;

CREATE TABLE "ledger_references" (
  "ledger" TEXT NOT NULL,
  "reference" TEXT NOT NULL,
  "transaction" INTEGER NOT NULL,
  PRIMARY KEY ("ledger", "reference")
) STRICT, WITHOUT ROWID;

CREATE TABLE "ledgers" (
  "name" TEXT NOT NULL,
  "id" INTEGER NOT NULL,
  "bucket" TEXT NOT NULL,
  "metadata" TEXT NOT NULL,
  "features" TEXT NOT NULL,
  "added_at" INTEGER NOT NULL,
  "deleted_at" INTEGER,
  "in_use" INTEGER NOT NULL,
  "imported_log" INTEGER,
  "imported_transaction" INTEGER,
  PRIMARY KEY ("name")
) STRICT, WITHOUT ROWID;

CREATE TABLE "logs" (
  "ledger" TEXT NOT NULL,
  "id" INTEGER NOT NULL,
  "type" TEXT NOT NULL,
  "data" TEXT NOT NULL,
  "date" INTEGER NOT NULL,
  "hash" BLOB NOT NULL,
  "idempotency_key" TEXT NOT NULL,
  "idempotency_hash" TEXT NOT NULL,
  "schema_version" TEXT NOT NULL,
  PRIMARY KEY ("ledger", "id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "milkyway_audit" (
  "id" INTEGER NOT NULL,
  "at" INTEGER NOT NULL,
  "actor" TEXT NOT NULL,
  "action" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "detail" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "milkyway_commissions" (
  "bank" TEXT NOT NULL,
  "service" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "fixed" ANY NOT NULL CHECK (typeof("fixed") <> 'real' AND typeof("fixed") <> 'blob'),
  "percent" TEXT NOT NULL,
  "minimum" ANY NOT NULL CHECK (typeof("minimum") <> 'real' AND typeof("minimum") <> 'blob'),
  "maximum" ANY CHECK (typeof("maximum") <> 'real' AND typeof("maximum") <> 'blob'),
  PRIMARY KEY ("bank", "service", "currency")
) STRICT, WITHOUT ROWID;

CREATE TABLE "milkyway_institutions" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "connector" TEXT NOT NULL,
  "enabled" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "milkyway_keys" (
  "institution" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "payment" INTEGER NOT NULL,
  "fingerprint" BLOB NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("institution", "key")
) STRICT, WITHOUT ROWID;

CREATE INDEX "milkyway_keys_by_created_at" ON "milkyway_keys" ("created_at");

CREATE TABLE "milkyway_limits" (
  "institution" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount" ANY NOT NULL CHECK (typeof("amount") <> 'real' AND typeof("amount") <> 'blob'),
  "action" TEXT NOT NULL,
  PRIMARY KEY ("institution", "currency")
) STRICT, WITHOUT ROWID;

CREATE TABLE "milkyway_movements" (
  "id" INTEGER NOT NULL,
  "kind" TEXT NOT NULL,
  "party" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount" ANY NOT NULL CHECK (typeof("amount") <> 'real' AND typeof("amount") <> 'blob'),
  "repaid" ANY NOT NULL CHECK (typeof("repaid") <> 'real' AND typeof("repaid") <> 'blob'),
  "at" INTEGER NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "milkyway_movements_by_party_currency" ON "milkyway_movements" ("party", "currency");

CREATE TABLE "milkyway_payments" (
  "id" INTEGER NOT NULL,
  "institution" TEXT NOT NULL,
  "bank" TEXT NOT NULL,
  "service" TEXT NOT NULL,
  "recipient" TEXT NOT NULL,
  "sender" TEXT NOT NULL,
  "status" INTEGER NOT NULL,
  "quote" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  "deadline_at" INTEGER NOT NULL,
  "data" TEXT,
  "error" TEXT,
  "over_limit" INTEGER NOT NULL,
  "dispatch_at" INTEGER,
  "dispatched_at" INTEGER,
  "behaviour" TEXT,
  "reply_at" INTEGER,
  "cancel_reply_at" INTEGER,
  "returned_at" INTEGER,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "milkyway_payments_by_institution_id" ON "milkyway_payments" ("institution", "id");

CREATE INDEX "milkyway_payments_by_status_id" ON "milkyway_payments" ("status", "id");

CREATE TABLE "milkyway_rates" (
  "currency_credit" TEXT NOT NULL,
  "currency_debit" TEXT NOT NULL,
  "mid" TEXT NOT NULL,
  "markup" TEXT NOT NULL,
  "updated_at" INTEGER NOT NULL,
  PRIMARY KEY ("currency_credit", "currency_debit")
) STRICT, WITHOUT ROWID;

CREATE TABLE "milkyway_services" (
  "bank" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "schema" TEXT,
  "down_reason" TEXT,
  "dispatch_delay" INTEGER NOT NULL,
  "stuck_after" INTEGER NOT NULL,
  PRIMARY KEY ("bank", "id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "milkyway_simulator_rules" (
  "bank" TEXT NOT NULL,
  "rules" TEXT NOT NULL,
  PRIMARY KEY ("bank")
) STRICT, WITHOUT ROWID;

CREATE TABLE "moves" (
  "ledger" TEXT NOT NULL,
  "account" TEXT NOT NULL,
  "asset" TEXT NOT NULL,
  "effective_at" INTEGER NOT NULL,
  "transaction" INTEGER NOT NULL,
  "input" ANY NOT NULL CHECK (typeof("input") <> 'real' AND typeof("input") <> 'blob'),
  "output" ANY NOT NULL CHECK (typeof("output") <> 'real' AND typeof("output") <> 'blob'),
  "effective_input" ANY NOT NULL CHECK (typeof("effective_input") <> 'real' AND typeof("effective_input") <> 'blob'),
  "effective_output" ANY NOT NULL CHECK (typeof("effective_output") <> 'real' AND typeof("effective_output") <> 'blob'),
  PRIMARY KEY ("ledger", "account", "asset", "effective_at", "transaction")
) STRICT, WITHOUT ROWID;

CREATE TABLE "oauth_client" (
  "realm" TEXT NOT NULL,
  "client_id" TEXT NOT NULL,
  "roles" TEXT NOT NULL,
  "scopes" TEXT NOT NULL,
  "secret" TEXT NOT NULL,
  "previous" TEXT,
  "generation" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "revoked_at" INTEGER,
  PRIMARY KEY ("realm", "client_id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "oauth_signing_key" (
  "realm" TEXT NOT NULL,
  "kid" TEXT NOT NULL,
  "pem" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("realm", "kid")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_accounts" (
  "id" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  "email" TEXT,
  "phone" TEXT,
  "disabled_at" INTEGER,
  "profile" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_accounts_by_kind_id" ON "piaxis_accounts" ("kind", "id");

CREATE TABLE "piaxis_api_keys" (
  "digest" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "label" TEXT NOT NULL,
  "owner" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "revoked_at" INTEGER,
  PRIMARY KEY ("digest")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_api_keys_by_merchant" ON "piaxis_api_keys" ("merchant");

CREATE INDEX "piaxis_api_keys_by_id" ON "piaxis_api_keys" ("id");

CREATE TABLE "piaxis_audit" (
  "id" INTEGER NOT NULL,
  "at" INTEGER NOT NULL,
  "actor" TEXT NOT NULL,
  "action" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "detail" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_contacts" (
  "contact" TEXT NOT NULL,
  "account" TEXT NOT NULL,
  PRIMARY KEY ("contact")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_disbursement_items" (
  "disbursement" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "fee" INTEGER NOT NULL,
  "recipient" TEXT,
  "email" TEXT,
  "phone" TEXT,
  "reference" TEXT,
  "instruction" TEXT,
  "error" TEXT,
  PRIMARY KEY ("disbursement", "position")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_disbursements" (
  "id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "total" INTEGER NOT NULL,
  "fees" INTEGER NOT NULL,
  "count" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "succeeded" INTEGER NOT NULL,
  "failed" INTEGER NOT NULL,
  "description" TEXT,
  "completed_at" INTEGER,
  "cancelled_at" INTEGER,
  "cancellation_reason" TEXT,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_disbursements_by_merchant_created_at_id" ON "piaxis_disbursements" ("merchant", "created_at", "id");

CREATE INDEX "piaxis_disbursements_by_merchant_status_created_at" ON "piaxis_disbursements" ("merchant", "status", "created_at");

CREATE TABLE "piaxis_disputes" (
  "id" TEXT NOT NULL,
  "escrow" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "initiator_role" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "opened_at" INTEGER NOT NULL,
  "outcome" TEXT,
  "released" INTEGER NOT NULL,
  "reversed" INTEGER NOT NULL,
  "decided_at" INTEGER,
  "decided_by" TEXT NOT NULL,
  "why" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_disputes_by_outcome_opened_at" ON "piaxis_disputes" ("outcome", "opened_at");

CREATE INDEX "piaxis_disputes_by_escrow_opened_at" ON "piaxis_disputes" ("escrow", "opened_at");

CREATE TABLE "piaxis_escrow_batches" (
  "id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "total" INTEGER NOT NULL,
  "count" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "released" INTEGER NOT NULL,
  "final" INTEGER NOT NULL,
  "description" TEXT,
  "cancelled_at" INTEGER,
  "cancellation_reason" TEXT,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_escrow_batches_by_merchant_created_at_id" ON "piaxis_escrow_batches" ("merchant", "created_at", "id");

CREATE INDEX "piaxis_escrow_batches_by_merchant_status_created_at" ON "piaxis_escrow_batches" ("merchant", "status", "created_at");

CREATE TABLE "piaxis_escrow_items" (
  "batch" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "id" TEXT NOT NULL,
  "escrow" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "terms" INTEGER NOT NULL,
  "recipient" TEXT,
  "email" TEXT,
  "phone" TEXT,
  "reference" TEXT,
  PRIMARY KEY ("batch", "position")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_escrow_slices" (
  "escrow" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "key" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "seller_reference" TEXT,
  "description" TEXT,
  "metadata" TEXT NOT NULL,
  "status_reason" TEXT,
  "status_updated_at" INTEGER,
  PRIMARY KEY ("escrow", "position")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_escrow_terms" (
  "escrow" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "id" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "data" TEXT NOT NULL,
  "given" TEXT NOT NULL,
  "salt" BLOB,
  "digest" BLOB,
  "tries" INTEGER NOT NULL,
  "expires_at" INTEGER,
  "due_at" INTEGER,
  "met_at" INTEGER,
  "expired_at" INTEGER,
  PRIMARY KEY ("escrow", "position")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_escrows" (
  "id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "shown" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  "customer" TEXT,
  "email" TEXT,
  "phone" TEXT,
  "verified" INTEGER NOT NULL,
  "batch" TEXT,
  "fee" INTEGER NOT NULL,
  "payer_pays_fee" INTEGER NOT NULL,
  "fee_taken" INTEGER NOT NULL,
  "released" INTEGER NOT NULL,
  "reversed" INTEGER NOT NULL,
  "rest" INTEGER NOT NULL,
  "steps" INTEGER NOT NULL,
  "funded_at" INTEGER,
  "instruction" TEXT,
  "error" TEXT,
  "dispute" TEXT,
  "external_user_id" TEXT,
  "external_order_id" TEXT,
  "metadata" TEXT NOT NULL,
  "location" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_escrows_by_merchant_created_at_id" ON "piaxis_escrows" ("merchant", "created_at", "id");

CREATE INDEX "piaxis_escrows_by_merchant_shown_created_at" ON "piaxis_escrows" ("merchant", "shown", "created_at");

CREATE INDEX "piaxis_escrows_by_merchant_external_order_id_created_at" ON "piaxis_escrows" ("merchant", "external_order_id", "created_at");

CREATE TABLE "piaxis_fees" (
  "kind" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "percent" TEXT NOT NULL,
  "fixed" INTEGER NOT NULL,
  "minimum" INTEGER NOT NULL,
  "maximum" INTEGER,
  PRIMARY KEY ("kind", "method", "currency")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_instructions" (
  "id" TEXT NOT NULL,
  "direction" TEXT NOT NULL,
  "rail" TEXT NOT NULL,
  "owner_kind" TEXT NOT NULL,
  "owner_id" TEXT NOT NULL,
  "phone" TEXT,
  "currency" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "behaviour" TEXT NOT NULL,
  "beat" INTEGER NOT NULL,
  "sent_at" INTEGER NOT NULL,
  "reference" TEXT NOT NULL,
  "outcome" TEXT,
  "error" TEXT,
  "settled_at" INTEGER,
  "unknown_at" INTEGER,
  "reports" INTEGER NOT NULL,
  "booked" INTEGER NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_instructions_by_owner_kind_owner_id" ON "piaxis_instructions" ("owner_kind", "owner_id");

CREATE INDEX "piaxis_instructions_by_outcome_unknown_at" ON "piaxis_instructions" ("outcome", "unknown_at");

CREATE TABLE "piaxis_keys" (
  "merchant" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "route" TEXT NOT NULL,
  "fingerprint" BLOB NOT NULL,
  "answer" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("merchant", "key")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_keys_by_created_at" ON "piaxis_keys" ("created_at");

CREATE TABLE "piaxis_movements" (
  "id" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "party" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "who" TEXT NOT NULL,
  "why" TEXT NOT NULL,
  "at" INTEGER NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_oauth_app" (
  "client_id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("client_id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_oauth_code" (
  "digest" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "user" TEXT NOT NULL,
  "external_user_id" TEXT NOT NULL,
  "redirect_uri" TEXT NOT NULL,
  "challenge" TEXT NOT NULL,
  "scope" TEXT NOT NULL,
  "expires_at" INTEGER NOT NULL,
  "grant" TEXT NOT NULL,
  PRIMARY KEY ("digest")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_oauth_code_by_expires_at" ON "piaxis_oauth_code" ("expires_at");

CREATE TABLE "piaxis_oauth_grant" (
  "id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "client_id" TEXT NOT NULL,
  "user" TEXT NOT NULL,
  "external_user_id" TEXT NOT NULL,
  "scope" TEXT NOT NULL,
  "generation" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "revoked_at" INTEGER,
  "reason" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_oauth_grant_by_user_merchant" ON "piaxis_oauth_grant" ("user", "merchant");

CREATE TABLE "piaxis_oauth_link" (
  "merchant" TEXT NOT NULL,
  "external_user_id" TEXT NOT NULL,
  "user" TEXT NOT NULL,
  "linked_at" INTEGER NOT NULL,
  PRIMARY KEY ("merchant", "external_user_id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_oauth_redirect" (
  "merchant" TEXT NOT NULL,
  "uri" TEXT NOT NULL,
  "added_at" INTEGER NOT NULL,
  PRIMARY KEY ("merchant", "uri")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_oauth_token" (
  "digest" TEXT NOT NULL,
  "refresh" INTEGER NOT NULL,
  "grant" TEXT NOT NULL,
  "scope" TEXT NOT NULL,
  "expires_at" INTEGER NOT NULL,
  "used" INTEGER NOT NULL,
  PRIMARY KEY ("digest")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_oauth_token_by_expires_at" ON "piaxis_oauth_token" ("expires_at");

CREATE TABLE "piaxis_otps" (
  "merchant" TEXT NOT NULL,
  "contact" TEXT NOT NULL,
  "salt" BLOB NOT NULL,
  "digest" BLOB NOT NULL,
  "expires_at" INTEGER NOT NULL,
  "tries" INTEGER NOT NULL,
  "used" INTEGER NOT NULL,
  "sent" TEXT NOT NULL,
  "other" TEXT,
  PRIMARY KEY ("merchant", "contact")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_payments" (
  "id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "fee" INTEGER NOT NULL,
  "payer_pays_fee" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  "user" TEXT,
  "email" TEXT,
  "phone" TEXT,
  "products" TEXT NOT NULL,
  "reference" TEXT NOT NULL,
  "instruction" TEXT,
  "error" TEXT,
  "refunded_at" INTEGER,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_payments_by_merchant_created_at_id" ON "piaxis_payments" ("merchant", "created_at", "id");

CREATE INDEX "piaxis_payments_by_merchant_status_created_at" ON "piaxis_payments" ("merchant", "status", "created_at");

CREATE TABLE "piaxis_provider_rules" (
  "rail" TEXT NOT NULL,
  "rules" TEXT NOT NULL,
  PRIMARY KEY ("rail")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_quotes" (
  "merchant" TEXT NOT NULL,
  "fingerprint" BLOB NOT NULL,
  "fees" TEXT NOT NULL,
  "expires_at" INTEGER NOT NULL,
  PRIMARY KEY ("merchant", "fingerprint")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_quotes_by_expires_at" ON "piaxis_quotes" ("expires_at");

CREATE TABLE "piaxis_refunds" (
  "id" TEXT NOT NULL,
  "object_kind" TEXT NOT NULL,
  "object_id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "rail" TEXT NOT NULL,
  "phone" TEXT,
  "currency" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  "attempts" INTEGER NOT NULL,
  "instruction" TEXT,
  "error" TEXT,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_refunds_by_status_created_at" ON "piaxis_refunds" ("status", "created_at");

CREATE INDEX "piaxis_refunds_by_object_kind_object_id" ON "piaxis_refunds" ("object_kind", "object_id");

CREATE TABLE "piaxis_shopify_session" (
  "id" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "domain" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "currency" TEXT NOT NULL,
  "test" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "opened_at" INTEGER NOT NULL,
  "reject_reason" TEXT,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_shopify_shop" (
  "domain" TEXT NOT NULL,
  "merchant" TEXT NOT NULL,
  "store_id" TEXT NOT NULL,
  "mode" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "connected_at" INTEGER NOT NULL,
  "disabled_at" INTEGER,
  PRIMARY KEY ("domain")
) STRICT, WITHOUT ROWID;

CREATE TABLE "piaxis_suspense" (
  "id" TEXT NOT NULL,
  "instruction" TEXT NOT NULL,
  "rail" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount" INTEGER NOT NULL,
  "why" TEXT NOT NULL,
  "at" INTEGER NOT NULL,
  "resolved_at" INTEGER,
  "resolution" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "piaxis_suspense_by_resolved_at_at" ON "piaxis_suspense" ("resolved_at", "at");

CREATE TABLE "pipelines" (
  "id" TEXT NOT NULL,
  "number" INTEGER NOT NULL,
  "ledger" TEXT NOT NULL,
  "exporter" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  "running" INTEGER NOT NULL,
  "last_log" INTEGER,
  "resets" INTEGER NOT NULL,
  "error" TEXT NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "schema_counts" (
  "ledger" TEXT NOT NULL,
  "count" INTEGER NOT NULL,
  "latest" TEXT NOT NULL,
  PRIMARY KEY ("ledger")
) STRICT, WITHOUT ROWID;

CREATE TABLE "schemas" (
  "ledger" TEXT NOT NULL,
  "version" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  "data" TEXT NOT NULL,
  PRIMARY KEY ("ledger", "version")
) STRICT, WITHOUT ROWID;

CREATE TABLE "sequences" (
  "name" TEXT NOT NULL,
  "last" INTEGER NOT NULL,
  PRIMARY KEY ("name")
) STRICT, WITHOUT ROWID;

CREATE TABLE "transaction_members" (
  "ledger" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "value" TEXT NOT NULL,
  "transaction" INTEGER NOT NULL,
  PRIMARY KEY ("ledger", "key", "value", "transaction")
) STRICT, WITHOUT ROWID;

CREATE TABLE "transaction_revisions" (
  "ledger" TEXT NOT NULL,
  "transaction" INTEGER NOT NULL,
  "log" INTEGER NOT NULL,
  "date" INTEGER NOT NULL,
  "metadata" TEXT NOT NULL,
  PRIMARY KEY ("ledger", "transaction", "log")
) STRICT, WITHOUT ROWID;

CREATE TABLE "transactions" (
  "ledger" TEXT NOT NULL,
  "id" INTEGER NOT NULL,
  "log" INTEGER NOT NULL,
  "postings" TEXT NOT NULL,
  "metadata" TEXT NOT NULL,
  "reference" TEXT,
  "timestamp" INTEGER NOT NULL,
  "inserted_at" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  "reverted_at" INTEGER,
  "template" TEXT NOT NULL,
  "volumes" TEXT,
  PRIMARY KEY ("ledger", "id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "transactions_by_ledger_timestamp_id" ON "transactions" ("ledger", "timestamp", "id");

CREATE TABLE "volumes" (
  "ledger" TEXT NOT NULL,
  "account" TEXT NOT NULL,
  "asset" TEXT NOT NULL,
  "input" ANY NOT NULL CHECK (typeof("input") <> 'real' AND typeof("input") <> 'blob'),
  "output" ANY NOT NULL CHECK (typeof("output") <> 'real' AND typeof("output") <> 'blob'),
  "latest" INTEGER NOT NULL,
  PRIMARY KEY ("ledger", "account", "asset")
) STRICT, WITHOUT ROWID;

CREATE TABLE "webhook_attempts" (
  "delivery" TEXT NOT NULL,
  "generation" INTEGER NOT NULL,
  "number" INTEGER NOT NULL,
  "at" INTEGER NOT NULL,
  "url" TEXT NOT NULL,
  "outcome" TEXT NOT NULL,
  "status_code" INTEGER NOT NULL,
  "error" TEXT,
  "duration_us" INTEGER NOT NULL,
  "excerpt" TEXT NOT NULL,
  PRIMARY KEY ("delivery", "generation", "number")
) STRICT, WITHOUT ROWID;

CREATE TABLE "webhook_deliveries" (
  "id" TEXT NOT NULL,
  "endpoint" TEXT NOT NULL,
  "event" TEXT NOT NULL,
  "object" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "attempts" INTEGER NOT NULL,
  "generation" INTEGER NOT NULL,
  "next_attempt_at" INTEGER,
  "last_status_code" INTEGER,
  "last_error" TEXT,
  "created_at" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  "follower" TEXT,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "webhook_deliveries_by_endpoint_id" ON "webhook_deliveries" ("endpoint", "id");

CREATE INDEX "webhook_deliveries_by_endpoint_status_id" ON "webhook_deliveries" ("endpoint", "status", "id");

CREATE TABLE "webhook_endpoints" (
  "source" TEXT NOT NULL,
  "owner" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "url" TEXT NOT NULL,
  "description" TEXT NOT NULL,
  "events" TEXT NOT NULL,
  "active" INTEGER NOT NULL,
  "disabled_reason" TEXT,
  "secret" TEXT NOT NULL,
  "former_secret" TEXT,
  "former_until" INTEGER,
  "former_works" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "updated_at" INTEGER NOT NULL,
  "last_triggered_at" INTEGER,
  "failure_count" INTEGER NOT NULL,
  "failing_since" INTEGER,
  "queued" INTEGER NOT NULL,
  PRIMARY KEY ("source", "owner", "id")
) STRICT, WITHOUT ROWID;

CREATE TABLE "webhook_events" (
  "id" TEXT NOT NULL,
  "source" TEXT NOT NULL,
  "owner" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "object" TEXT NOT NULL,
  "data" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;

CREATE INDEX "webhook_events_by_source_owner_id" ON "webhook_events" ("source", "owner", "id");

CREATE TABLE "webhook_inbox" (
  "endpoint" TEXT NOT NULL,
  "delivery" TEXT NOT NULL,
  "object" TEXT NOT NULL,
  PRIMARY KEY ("endpoint", "delivery")
) STRICT, WITHOUT ROWID;

CREATE TABLE "webhook_lanes" (
  "endpoint" TEXT NOT NULL,
  "object" TEXT NOT NULL,
  "due_at" INTEGER NOT NULL,
  "head" TEXT NOT NULL,
  "tail" TEXT NOT NULL,
  PRIMARY KEY ("endpoint", "object")
) STRICT, WITHOUT ROWID;

CREATE INDEX "webhook_lanes_by_endpoint_due_at_head" ON "webhook_lanes" ("endpoint", "due_at", "head");

CREATE TABLE "work" (
  "kind" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "due_at" INTEGER NOT NULL,
  "ready_at" INTEGER NOT NULL,
  "payload" TEXT NOT NULL,
  "attempts" INTEGER NOT NULL,
  "owner" TEXT NOT NULL,
  "dead" INTEGER NOT NULL,
  "error" TEXT NOT NULL,
  PRIMARY KEY ("kind", "key")
) STRICT, WITHOUT ROWID;

CREATE INDEX "work_by_kind_dead_ready_at_key" ON "work" ("kind", "dead", "ready_at", "key");


"""Reports, tasks, deadlines, witnesses, timestamps, OpenPGP, passkeys."""

import sqlalchemy as sa
from alembic import op

from siegelpost.store import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cursor",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursor")),
    )
    op.create_table(
        "installation",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("clock_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_installation")),
    )
    op.create_table(
        "used_challenge",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_challenge")),
    )
    with op.batch_alter_table("used_challenge", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_used_challenge_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "cosignature",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("witness", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["checkpoint.size"], name=op.f("fk_cosignature_size_checkpoint")
        ),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_cosignature")),
    )
    op.create_table(
        "openpgp_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("removed_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name=op.f("fk_openpgp_key_mailbox_id_mailbox")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openpgp_key")),
    )
    with op.batch_alter_table("openpgp_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_openpgp_key_mailbox_id"), ["mailbox_id"], unique=False)
        batch_op.create_index(
            "uq_openpgp_key_mailbox_id_in_force",
            ["mailbox_id"],
            unique=True,
            sqlite_where=sa.text("confirmed_at IS NOT NULL AND removed_at IS NULL"),
            postgresql_where=sa.text("confirmed_at IS NOT NULL AND removed_at IS NULL"),
        )

    op.create_table(
        "passkey",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name=op.f("fk_passkey_mailbox_id_mailbox")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_mailbox_id"), ["mailbox_id"], unique=False)

    op.create_table(
        "timestamp",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("hash_name", sa.String(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kept_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=True),
        sa.Column("renewed_by", sa.String(), nullable=True),
        sa.Column("renewed_index", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["renewed_by"], ["timestamp.id"], name=op.f("fk_timestamp_renewed_by_timestamp")
        ),
        sa.ForeignKeyConstraint(
            ["size"], ["checkpoint.size"], name=op.f("fk_timestamp_size_checkpoint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timestamp")),
        sa.UniqueConstraint("size", "authority", name=op.f("uq_timestamp_size_authority")),
    )
    with op.batch_alter_table("timestamp", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_timestamp_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_timestamp_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_timestamp_size"), ["size"], unique=False)

    op.create_table(
        "deadline",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("notice_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("computed_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("rule_set", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("deemed", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("open_until", sa.Date(), nullable=True),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_deadline_notice_id_notice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint("notice_id", "number", name=op.f("uq_deadline_notice_id_number")),
    )
    op.create_table(
        "deadline_watch",
        sa.Column("notice_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("look_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reminded_of", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_deadline_watch_notice_id_notice")
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_deadline_watch")),
    )
    with op.batch_alter_table("deadline_watch", schema=None) as batch_op:
        batch_op.create_index(
            "ix_deadline_watch_look_at_set",
            ["look_at"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )

    op.create_table(
        "bounce",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("blob_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.Column("received_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_bounce_alert_id_alert")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
        sa.UniqueConstraint("alert_id", "digest", name=op.f("uq_bounce_alert_id_digest")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agency_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("notice_id", sa.String(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("opened_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_task_agency_id_agency")
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_task_alert_id_alert")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_task_notice_id_notice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("agency_id", "number", name=op.f("uq_task_agency_id_number")),
        sa.UniqueConstraint("notice_id", "kind", name=op.f("uq_task_notice_id_kind")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(
            "ix_task_agency_id_number_open",
            ["agency_id", "number"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_task_agency_id_unnumbered",
            ["agency_id"],
            unique=False,
            sqlite_where=sa.text("number IS NULL"),
            postgresql_where=sa.text("number IS NULL"),
        )

    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.add_column(sa.Column("evidence_recipient", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lane", sa.String(), server_default="plain", nullable=False))
        batch_op.add_column(
            sa.Column("confirm_by", columns.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.drop_index(
            batch_op.f("ix_alert_due_at_open"), sqlite_where=sa.text("finished_at IS NULL")
        )
        batch_op.create_index(
            "ix_alert_confirm_by_open",
            ["confirm_by"],
            unique=False,
            sqlite_where=sa.text("confirm_by IS NOT NULL"),
            postgresql_where=sa.text("confirm_by IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_alert_lane_due_at_open",
            ["lane", "due_at"],
            unique=False,
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )

    with op.batch_alter_table("mailbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recovery_salt", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("recovery_proof", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("follow_ups", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.create_index(
            "ix_notice_follow_ups_provided_at_unread",
            ["follow_ups", "provided_at"],
            unique=False,
            sqlite_where=sa.text("state = 'provided'"),
            postgresql_where=sa.text("state = 'provided'"),
        )

    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("method", sa.String(), server_default="passphrase", nullable=False)
        )
        batch_op.add_column(sa.Column("device", sa.String(), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("proved_at", columns.UtcDateTime(timezone=True), nullable=True)
        )


def downgrade() -> None:
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_column("proved_at")
        batch_op.drop_column("device")
        batch_op.drop_column("method")

    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_notice_follow_ups_provided_at_unread",
            sqlite_where=sa.text("state = 'provided'"),
            postgresql_where=sa.text("state = 'provided'"),
        )
        batch_op.drop_column("follow_ups")

    with op.batch_alter_table("mailbox", schema=None) as batch_op:
        batch_op.drop_column("recovery_proof")
        batch_op.drop_column("recovery_salt")

    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_alert_lane_due_at_open",
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_alert_confirm_by_open",
            sqlite_where=sa.text("confirm_by IS NOT NULL"),
            postgresql_where=sa.text("confirm_by IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_alert_due_at_open"),
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("finished_at IS NULL"),
        )
        batch_op.drop_column("confirm_by")
        batch_op.drop_column("lane")

    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.drop_column("evidence_recipient")

    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_task_agency_id_unnumbered",
            sqlite_where=sa.text("number IS NULL"),
            postgresql_where=sa.text("number IS NULL"),
        )
        batch_op.drop_index(
            "ix_task_agency_id_number_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.drop_table("task")
    op.drop_table("bounce")
    with op.batch_alter_table("deadline_watch", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_deadline_watch_look_at_set",
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )

    op.drop_table("deadline_watch")
    op.drop_table("deadline")
    with op.batch_alter_table("timestamp", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timestamp_size"))
        batch_op.drop_index(batch_op.f("ix_timestamp_expires_at"))
        batch_op.drop_index(batch_op.f("ix_timestamp_at"))

    op.drop_table("timestamp")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_mailbox_id"))

    op.drop_table("passkey")
    with op.batch_alter_table("openpgp_key", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_openpgp_key_mailbox_id_in_force",
            sqlite_where=sa.text("confirmed_at IS NOT NULL AND removed_at IS NULL"),
            postgresql_where=sa.text("confirmed_at IS NOT NULL AND removed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_openpgp_key_mailbox_id"))

    op.drop_table("openpgp_key")
    op.drop_table("cosignature")
    with op.batch_alter_table("used_challenge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_challenge_expires_at"))

    op.drop_table("used_challenge")
    op.drop_table("installation")
    op.drop_table("cursor")

"""Indices by which a notice that is erased finds what names it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("archived_notice", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_archived_notice_notice_id"), ["notice_id"], unique=False
        )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(
            "ix_task_alert_id_set",
            ["alert_id"],
            unique=False,
            sqlite_where=sa.text("alert_id IS NOT NULL"),
            postgresql_where=sa.text("alert_id IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_task_alert_id_set",
            sqlite_where=sa.text("alert_id IS NOT NULL"),
            postgresql_where=sa.text("alert_id IS NOT NULL"),
        )
    with op.batch_alter_table("archived_notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archived_notice_notice_id"))

"""Turns flagged payments into alerts with their evidence (schema `fraud.alert.ALERTS`)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fraud.alert import ALERTS, EVIDENCE, alert_id
from fraud.arrays import Integers, decimals
from fraud.history import History, range_maximum
from fraud.rules import Rule


@dataclass(frozen=True)
class Flagged:
    """What one rule flags in a history: positions, ascending, and what it observed there (hundredths)."""

    rule: Rule
    positions: Integers
    observed: Integers


def build_alerts(
    flagged: list[Flagged], history: History, payments: pa.Table, rows: Integers, detected_at: int
) -> pa.Table:
    """One alert for each position of each of `flagged`.

    `rows` are those of `payments` (schema PAYMENTS) that `history` has, in its order; `detected_at` is the
    micro-batch's time in epoch milliseconds.
    """
    flagged = [each for each in flagged if len(each.positions)]
    if not flagged:
        return ALERTS.empty_table()
    return pa.concat_tables([_alerts_of(each, history, payments, rows, detected_at) for each in flagged])


def _alerts_of(
    flagged: Flagged, history: History, payments: pa.Table, rows: Integers, detected_at: int
) -> pa.Table:
    rule, positions = flagged.rule, flagged.positions
    size = len(positions)
    start, end = _window(rule, history, positions)
    time = history.timestamp[positions]
    own = payments.take(pa.array(rows[positions]))
    users, transactions = own["user_id"].to_pylist(), own["transaction_id"].to_pylist()
    ids = [alert_id(rule.id, u, i, t) for u, i, t in zip(users, transactions, time.tolist(), strict=True)]
    arrived = range_maximum(payments["ingested_at"].to_numpy()[rows], start, end)
    columns = {
        "alert_id": pa.array(ids, pa.string()),
        "rule_id": pa.repeat(rule.id, size),
        "rule_version": pa.repeat(pa.scalar(rule.version, pa.int32()), size),
        "severity": pa.repeat(rule.severity, size),
        "user_id": own["user_id"],
        "transaction_id": own["transaction_id"],
        "transaction_timestamp": time,
        "amount": decimals(history.amount[positions], ALERTS.field("amount").type),
        "currency": own["currency"],
        "rate": decimals(history.rate[positions], ALERTS.field("rate").type),
        "location": own["location"],
        "observed": decimals(flagged.observed, ALERTS.field("observed").type),
        "threshold": decimals(np.full(size, rule.limit), ALERTS.field("threshold").type),
        "window_start": pa.nulls(size) if rule.window is None else time - rule.window,
        "window_end": pa.nulls(size) if rule.window is None else time,
        "evidence": _evidence(rule.evidence(history, positions), history, payments, rows),
        "evidence_count": end - start,
        "detected_at": np.full(size, detected_at),
        "ingested_at": arrived,
        "reconciled_at": pa.nulls(size),
    }
    return pa.table([_column(columns[field.name], field) for field in ALERTS], schema=ALERTS)


def _window(rule: Rule, history: History, positions: Integers) -> tuple[Integers, Integers]:
    """Positions [start, end) of the contributing payments."""
    if rule.window is None:
        return positions, positions + 1
    start, end = history.window(rule.window)
    return start[positions], end[positions]


def _evidence(chosen: list[Integers], history: History, payments: pa.Table, rows: Integers) -> pa.ListArray:
    lengths = np.array([len(each) for each in chosen])
    positions = np.concatenate(chosen)
    taken = payments.take(pa.array(rows[positions])).combine_chunks()
    fields = {
        "transaction_id": taken["transaction_id"],
        "timestamp": history.timestamp[positions],
        "amount": decimals(history.amount[positions], EVIDENCE.field("amount").type),
        "currency": taken["currency"],
        "location": taken["location"],
    }
    items = pa.StructArray.from_arrays([_column(fields[f.name], f) for f in EVIDENCE], fields=list(EVIDENCE))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


def _column(values: pa.ChunkedArray | pa.Array | Integers, field: pa.Field) -> pa.Array:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(field.type)

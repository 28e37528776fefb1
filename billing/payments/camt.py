"""Reads bank statements in CAMT.053 (ISO 20022), any version. Bytes in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from core.money import round_money
from core.text.plain_text import clean_text

LARGEST = Decimal(10) ** 12
LONGEST_IDENTIFIER = 35  # Max35Text of ISO 20022


class UnreadableStatement(ValueError):
    """This is no bank statement that can be imported; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEntry:
    """Money that came in."""

    booked_on: date
    amount: Decimal
    currency: str
    payer: str = ""
    payer_iban: str = ""
    remittance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement of one account; entries that are not booked, or debits, are left out."""

    identifier: str
    iban: str
    entries: tuple[CreditEntry, ...]


def read_statements(content: bytes) -> list[Statement]:
    """The statements of a file; raises UnreadableStatement, and never returns a part of a file."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        message = f"The file is not well-formed XML in the encoding that it declares: {error.msg}"
        raise UnreadableStatement(message) from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableStatement("The file has a document type declaration, which bank statements have not")
    if "camt.053" not in str(etree.QName(root).namespace):
        raise UnreadableStatement("The file is not a CAMT.053 bank statement")
    statements = [_statement(node) for node in root.iterfind("{*}BkToCstmrStmt/{*}Stmt")]
    if not statements:
        raise UnreadableStatement("The file holds no statement")
    return statements


def _statement(node: etree._Element) -> Statement:
    identifier = _text(node, "{*}Id")
    if not 0 < len(identifier) <= LONGEST_IDENTIFIER:
        raise UnreadableStatement("A statement has no identification (Id), or one of more than 35 characters")
    entries = [entry for row in node.iterfind("{*}Ntry") if _is_booked_credit(row) for entry in _entries(row)]
    account = _text(node, "{*}Acct/{*}Id/{*}IBAN") or _text(node, "{*}Acct/{*}Id/{*}Othr/{*}Id")
    return Statement(identifier=identifier, iban=account[:34], entries=tuple(entries))


def _is_booked_credit(row: etree._Element) -> bool:
    status = _text(row, "{*}Sts/{*}Cd") or _text(row, "{*}Sts")
    is_reversal = _text(row, "{*}RvslInd") == "true"
    return _text(row, "{*}CdtDbtInd") == "CRDT" and status == "BOOK" and not is_reversal


def _entries(row: etree._Element) -> list[CreditEntry]:
    """One entry, or one for each transaction where a batch names their amounts."""
    booked_on = _day(_text(row, "{*}BookgDt/{*}Dt") or _text(row, "{*}BookgDt/{*}DtTm")[:10])
    details = row.findall("{*}NtryDtls/{*}TxDtls")
    if len(details) < 2 or any(_amount_node(detail) is None for detail in details):
        return [_entry(row, details[0] if details else row, row.find("{*}Amt"), booked_on)]
    return [_entry(row, detail, _amount_node(detail), booked_on) for detail in details]


def _amount_node(detail: etree._Element) -> etree._Element | None:
    node = detail.find("{*}Amt")
    return node if node is not None else detail.find("{*}AmtDtls/{*}TxAmt/{*}Amt")


def _entry(row: etree._Element, detail: etree._Element, amount: etree._Element | None, booked_on: date) -> CreditEntry:
    if amount is None:
        raise UnreadableStatement("An entry has no amount")
    references = [clean_text(node.text or "") for node in detail.iterfind("{*}RmtInf/{*}Ustrd")]
    references += [clean_text(node.text or "") for node in detail.iterfind("{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref")]
    payer = _text(detail, "{*}RltdPties/{*}Dbtr/{*}Nm") or _text(detail, "{*}RltdPties/{*}Dbtr/{*}Pty/{*}Nm")
    currency = _currency(amount.get("Ccy", ""))
    return CreditEntry(
        booked_on=booked_on,
        amount=_decimal(amount.text or "", currency),
        currency=currency,
        payer=payer[:140],
        payer_iban=_text(detail, "{*}RltdPties/{*}DbtrAcct/{*}Id/{*}IBAN")[:34],
        remittance=(" ".join(references) or _text(row, "{*}AddtlNtryInf"))[:500],
    )


def _text(node: etree._Element, path: str) -> str:
    return clean_text((node.findtext(path) or "").strip())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UnreadableStatement(f"“{text}” is not a day") from error


def _currency(code: str) -> str:
    if not (len(code) == 3 and code.isascii() and code.isupper()):
        raise UnreadableStatement(f"“{code}” is not a currency")
    return code


def _decimal(text: str, currency: str) -> Decimal:
    try:
        amount = Decimal(text.strip())
    except InvalidOperation as error:
        raise UnreadableStatement(f"“{text}” is not an amount") from error
    if not amount.is_finite() or not 0 < amount < LARGEST or amount != round_money(amount, currency):
        raise UnreadableStatement(f"“{text}” is not an amount in {currency}")
    return amount

"""Bank statements in CAMT.053, as banks write them."""

from __future__ import annotations


def entry(
    amount: str,
    reference: str,
    *,
    direction: str = "CRDT",
    status: str = "BOOK",
    currency: str = "EUR",
    extra: str = "",
) -> str:
    """One entry of a statement."""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{extra}<Sts>{status}</Sts>'
        "<BookgDt><Dt>2026-01-20</Dt></BookgDt><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>Waterschap Vallei</Nm></Dbtr>"
        "<DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RmtInf><Ustrd>{reference}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def transaction(amount: str, reference: str, payer: str = "Ann") -> str:
    """One transaction of a batch, with its own amount and payer (version 8 of the format)."""
    return (
        f'<TxDtls><Amt Ccy="EUR">{amount}</Amt><RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>'
        f"<RmtInf><Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"
    )


def batch(amount: str, *transactions: str, day: str = "<DtTm>2026-01-21T08:00:00</DtTm>") -> str:
    """One entry over several transactions."""
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt>{day}</BookgDt><NtryDtls>{''.join(transactions)}</NtryDtls>"
        "<AddtlNtryInf>Batch of the day</AddtlNtryInf></Ntry>"
    )


def statement(*entries: str, identifier: str = "S1", account: str = "<IBAN>NL02ABNA0123456789</IBAN>") -> str:
    """One statement."""
    return f"<Stmt><Id>{identifier}</Id><Acct><Id>{account}</Id></Acct>{''.join(entries)}</Stmt>"


def file_of(*statements: str, version: str = "02", encoding: str = "utf-8") -> bytes:
    """A file over these statements."""
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        f"<BkToCstmrStmt>{''.join(statements)}</BkToCstmrStmt></Document>"
    )
    return text.encode(encoding)


def camt(*entries: str, identifier: str = "S1", encoding: str = "utf-8") -> bytes:
    """A file with one statement over these entries."""
    return file_of(statement(*entries, identifier=identifier), encoding=encoding)

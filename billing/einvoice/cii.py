"""UN/CEFACT CII D16B of EN 16931, the XML inside a Factur-X PDF: https://fnfe-mpe.org/factur-x/"""

from __future__ import annotations

from datetime import date

from billing.einvoice import terms
from billing.einvoice.xml_builder import Element, XmlBuilder
from billing.invoice_document import DocumentLine, InvoiceDocument, Party
from billing.invoicing.periods import BillingPeriod
from billing.invoicing.pricing import VatSubtotal

STANDARD = "urn:un:unece:uncefact:data:standard:"
NAMESPACES: dict[str | None, str] = {
    "rsm": f"{STANDARD}CrossIndustryInvoice:100",
    "ram": f"{STANDARD}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{STANDARD}UnqualifiedDataType:100",
    "qdt": f"{STANDARD}QualifiedDataType:100",
}
DAY = "102"  # CCYYMMDD, UNTDID 2379


def cii_xml(document: InvoiceDocument) -> bytes:
    """The invoice or credit note as CII; the same document gives the same bytes."""
    return _CiiWriter(document).to_bytes()


class _CiiWriter:
    def __init__(self, document: InvoiceDocument) -> None:
        self.document = document
        self.xml = XmlBuilder("rsm:CrossIndustryInvoice", NAMESPACES)

    def to_bytes(self) -> bytes:
        """All of it, in the order that the schema asks."""
        self._heading()
        deal = self.xml.add(self.xml.root, "rsm:SupplyChainTradeTransaction")
        for number, line in enumerate(self.document.lines, start=1):
            self._line(deal, number, line)
        self._agreement(self.xml.add(deal, "ram:ApplicableHeaderTradeAgreement"))
        self._delivery(self.xml.add(deal, "ram:ApplicableHeaderTradeDelivery"))
        self._settlement(self.xml.add(deal, "ram:ApplicableHeaderTradeSettlement"))
        return self.xml.to_bytes()

    def _heading(self) -> None:
        document, root, add = self.document, self.xml.root, self.xml.add
        context = "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
        add(root, context, terms.EN_16931)
        heading = add(root, "rsm:ExchangedDocument")
        add(heading, "ram:ID", document.number)
        add(heading, "ram:TypeCode", terms.CREDIT_NOTE if document.is_credit_note else terms.INVOICE)
        self._day(heading, "ram:IssueDateTime", document.issued_on)
        for note in document.notes:
            add(heading, "ram:IncludedNote/ram:Content", note)

    def _line(self, deal: Element, number: int, line: DocumentLine) -> None:
        add = self.xml.add
        quantity, price = terms.quantity_and_price(line)
        element = add(deal, "ram:IncludedSupplyChainTradeLineItem")
        add(element, "ram:AssociatedDocumentLineDocument/ram:LineID", number)
        product = add(element, "ram:SpecifiedTradeProduct")
        add(product, "ram:Name", line.description)
        self.xml.add_filled(product, "ram:Description", line.detail)
        add(element, "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount", price)
        add(element, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", quantity, unitCode=terms.UNIT)
        settlement = add(element, "ram:SpecifiedLineTradeSettlement")
        tax = add(settlement, "ram:ApplicableTradeTax")
        add(tax, "ram:TypeCode", "VAT")
        add(tax, "ram:CategoryCode", line.vat_category)
        if terms.has_rate(line.vat_category):
            add(tax, "ram:RateApplicablePercent", terms.plain(line.vat_rate))
        self._period(settlement, line.period)
        if line.discount:
            self._discount(settlement, line)
        add(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount", line.net)

    def _discount(self, parent: Element, line: DocumentLine) -> None:
        element = self.xml.add(parent, "ram:SpecifiedTradeAllowanceCharge")
        self.xml.add(element, "ram:ChargeIndicator/udt:Indicator", False)
        self.xml.add(element, "ram:ActualAmount", line.discount)
        self.xml.add(element, "ram:ReasonCode", terms.DISCOUNT)
        self.xml.add_filled(element, "ram:Reason", line.discount_reason)

    def _agreement(self, element: Element) -> None:
        self.xml.add_filled(element, "ram:BuyerReference", terms.buyer_reference(self.document))
        self._party(self.xml.add(element, "ram:SellerTradeParty"), self.document.seller)
        self._party(self.xml.add(element, "ram:BuyerTradeParty"), self.document.buyer)

    def _party(self, element: Element, party: Party) -> None:
        add, filled = self.xml.add, self.xml.add_filled
        add(element, "ram:Name", party.name)
        number, scheme = terms.legal_id(party)
        filled(element, "ram:SpecifiedLegalOrganization/ram:ID", number, **scheme)
        if party.attention or party.phone or party.email:
            contact = add(element, "ram:DefinedTradeContact")
            filled(contact, "ram:PersonName", party.attention)
            filled(contact, "ram:TelephoneUniversalCommunication/ram:CompleteNumber", party.phone)
            filled(contact, "ram:EmailURIUniversalCommunication/ram:URIID", party.email)
        address = add(element, "ram:PostalTradeAddress")
        filled(address, "ram:PostcodeCode", party.postal_code)
        filled(address, "ram:LineOne", party.street)
        filled(address, "ram:LineTwo", party.street2)
        filled(address, "ram:CityName", party.city)
        add(address, "ram:CountryID", party.country)
        filled(address, "ram:CountrySubDivisionName", party.region)
        electronic = terms.electronic_address(party)
        if electronic:
            add(element, "ram:URIUniversalCommunication/ram:URIID", electronic[1], schemeID=electronic[0])
        self._tax_number(element, party)

    def _tax_number(self, parent: Element, party: Party) -> None:
        is_seller, is_outside = party is self.document.seller, terms.is_outside_scope(self.document)
        if party.vat_id and (is_seller or not is_outside):
            scheme = "FC" if is_outside else "VA"
            self.xml.add(parent, "ram:SpecifiedTaxRegistration/ram:ID", party.vat_id, schemeID=scheme)

    def _delivery(self, element: Element) -> None:
        supplied = self.document.supplied
        delivered_on = supplied.start if supplied else self.document.issued_on
        self._day(element, "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime", delivered_on)

    def _settlement(self, element: Element) -> None:
        document, add = self.document, self.xml.add
        is_transfer = bool(document.is_payable and document.payment.iban)
        if is_transfer:
            add(element, "ram:PaymentReference", document.payment.reference or document.number)
        if document.vat_in_euro:
            add(element, "ram:TaxCurrencyCode", "EUR")
        add(element, "ram:InvoiceCurrencyCode", document.currency)
        if is_transfer:
            self._transfer(add(element, "ram:SpecifiedTradeSettlementPaymentMeans"))
        for part in document.totals.breakdown:
            self._tax(add(element, "ram:ApplicableTradeTax"), part)
        self._period(element, document.supplied)
        if not document.is_credit_note:
            self._day(element, "ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime", document.due_on)
        self._totals(add(element, "ram:SpecifiedTradeSettlementHeaderMonetarySummation"))
        if document.credits:
            reference = add(element, "ram:InvoiceReferencedDocument")
            add(reference, "ram:IssuerAssignedID", document.credits.number)
            self._day(reference, "ram:FormattedIssueDateTime", document.credits.issued_on, kind="qdt")

    def _transfer(self, element: Element) -> None:
        document, payment = self.document, self.document.payment
        self.xml.add(element, "ram:TypeCode", terms.payment_means(document))
        account = self.xml.add(element, "ram:PayeePartyCreditorFinancialAccount")
        self.xml.add(account, "ram:IBANID", payment.iban)
        self.xml.add(account, "ram:AccountName", payment.account_holder or document.seller.name)
        bank = "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"
        self.xml.add_filled(element, bank, payment.bic)

    def _tax(self, element: Element, part: VatSubtotal) -> None:
        add, filled = self.xml.add, self.xml.add_filled
        code, reason = terms.exemption(part)
        add(element, "ram:CalculatedAmount", part.tax)
        add(element, "ram:TypeCode", "VAT")
        filled(element, "ram:ExemptionReason", reason)
        add(element, "ram:BasisAmount", part.taxable)
        add(element, "ram:CategoryCode", part.category)
        filled(element, "ram:ExemptionReasonCode", code)
        if terms.has_rate(part.category):
            add(element, "ram:RateApplicablePercent", terms.plain(part.rate))

    def _totals(self, element: Element) -> None:
        totals, add = self.document.totals, self.xml.add
        add(element, "ram:LineTotalAmount", totals.net)
        add(element, "ram:TaxBasisTotalAmount", totals.net)
        add(element, "ram:TaxTotalAmount", totals.tax, currencyID=self.document.currency)
        if self.document.vat_in_euro:
            add(element, "ram:TaxTotalAmount", self.document.vat_in_euro.tax, currencyID="EUR")
        add(element, "ram:GrandTotalAmount", totals.gross)
        add(element, "ram:DuePayableAmount", totals.gross)

    def _period(self, parent: Element, period: BillingPeriod | None) -> None:
        if period:
            element = self.xml.add(parent, "ram:BillingSpecifiedPeriod")
            self._day(element, "ram:StartDateTime", period.start)
            self._day(element, "ram:EndDateTime", period.last_day)

    def _day(self, parent: Element, path: str, day: date, *, kind: str = "udt") -> None:
        self.xml.add(parent, f"{path}/{kind}:DateTimeString", f"{day:%Y%m%d}", format=DAY)

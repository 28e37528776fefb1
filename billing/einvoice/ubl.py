"""UBL 2.1 of EN 16931: https://docs.peppol.eu/poacc/billing/3.0/syntax/ubl-invoice/tree/"""

from __future__ import annotations

from decimal import Decimal

from billing.einvoice import terms
from billing.einvoice.xml_builder import Element, XmlBuilder
from billing.invoice_document import DocumentLine, InvoiceDocument, Party
from billing.invoicing.periods import BillingPeriod
from billing.invoicing.pricing import VatSubtotal

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"


def ubl_xml(document: InvoiceDocument) -> bytes:
    """The invoice or credit note as UBL; the same document gives the same bytes."""
    return _UblWriter(document).to_bytes()


class _UblWriter:
    def __init__(self, document: InvoiceDocument) -> None:
        self.document = document
        self.kind = "CreditNote" if document.is_credit_note else "Invoice"
        self.xml = XmlBuilder(
            self.kind,
            {
                None: f"{UBL}{self.kind}-2",
                "cac": f"{UBL}CommonAggregateComponents-2",
                "cbc": f"{UBL}CommonBasicComponents-2",
            },
        )

    def to_bytes(self) -> bytes:
        """All of it, in the order that the schema asks."""
        self._heading()
        self._references()
        self._party("cac:AccountingSupplierParty", self.document.seller)
        self._party("cac:AccountingCustomerParty", self.document.buyer)
        self._delivery()
        self._payment()
        self._tax()
        self._totals()
        for number, line in enumerate(self.document.lines, start=1):
            self._line(number, line)
        return self.xml.to_bytes()

    def _heading(self) -> None:
        document, root, add = self.document, self.xml.root, self.xml.add
        customization = terms.customization(document)
        add(root, "cbc:CustomizationID", customization)
        if customization == terms.PEPPOL_BIS:
            add(root, "cbc:ProfileID", terms.PEPPOL_PROCESS)
        add(root, "cbc:ID", document.number)
        add(root, "cbc:IssueDate", document.issued_on)
        if not document.is_credit_note:
            add(root, "cbc:DueDate", document.due_on)
        add(root, f"cbc:{self.kind}TypeCode", terms.CREDIT_NOTE if document.is_credit_note else terms.INVOICE)
        if document.notes:
            add(root, "cbc:Note", "\n".join(document.notes))
        add(root, "cbc:DocumentCurrencyCode", document.currency)
        if document.vat_in_euro:
            add(root, "cbc:TaxCurrencyCode", "EUR")
        self.xml.add_filled(root, "cbc:BuyerReference", terms.buyer_reference(document))

    def _references(self) -> None:
        self._period(self.xml.root, self.document.supplied)
        if self.document.credits:
            reference = self.xml.add(self.xml.root, "cac:BillingReference/cac:InvoiceDocumentReference")
            self.xml.add(reference, "cbc:ID", self.document.credits.number)
            self.xml.add(reference, "cbc:IssueDate", self.document.credits.issued_on)

    def _period(self, parent: Element, period: BillingPeriod | None) -> None:
        if period:
            element = self.xml.add(parent, "cac:InvoicePeriod")
            self.xml.add(element, "cbc:StartDate", period.start)
            self.xml.add(element, "cbc:EndDate", period.last_day)

    def _party(self, path: str, party: Party) -> None:
        add, filled = self.xml.add, self.xml.add_filled
        element = add(self.xml.root, f"{path}/cac:Party")
        address = terms.electronic_address(party)
        if address:
            add(element, "cbc:EndpointID", address[1], schemeID=address[0])
        self._address(element, party)
        self._tax_numbers(element, party)
        entity = add(element, "cac:PartyLegalEntity")
        add(entity, "cbc:RegistrationName", party.name)
        number, scheme = terms.legal_id(party)
        filled(entity, "cbc:CompanyID", number, **scheme)
        if party.attention or party.phone or party.email:
            contact = add(element, "cac:Contact")
            filled(contact, "cbc:Name", party.attention)
            filled(contact, "cbc:Telephone", party.phone)
            filled(contact, "cbc:ElectronicMail", party.email)

    def _address(self, parent: Element, party: Party) -> None:
        element, filled = self.xml.add(parent, "cac:PostalAddress"), self.xml.add_filled
        filled(element, "cbc:StreetName", party.street)
        filled(element, "cbc:AdditionalStreetName", party.street2)
        filled(element, "cbc:CityName", party.city)
        filled(element, "cbc:PostalZone", party.postal_code)
        filled(element, "cbc:CountrySubentity", party.region)
        self.xml.add(element, "cac:Country/cbc:IdentificationCode", party.country)

    def _tax_numbers(self, parent: Element, party: Party) -> None:
        is_seller, is_outside = party is self.document.seller, terms.is_outside_scope(self.document)
        if not party.vat_id or (is_outside and not is_seller):
            return
        scheme = self.xml.add(parent, "cac:PartyTaxScheme")
        self.xml.add(scheme, "cbc:CompanyID", party.vat_id)
        self.xml.add(scheme, "cac:TaxScheme/cbc:ID", "TAX" if is_outside else "VAT")

    def _delivery(self) -> None:
        supplied = self.document.supplied
        delivered_on = supplied.start if supplied else self.document.issued_on
        self.xml.add(self.xml.root, "cac:Delivery/cbc:ActualDeliveryDate", delivered_on)

    def _payment(self) -> None:
        document, payment, add = self.document, self.document.payment, self.xml.add
        if not (document.is_payable and payment.iban):
            return
        means = add(self.xml.root, "cac:PaymentMeans")
        add(means, "cbc:PaymentMeansCode", terms.payment_means(document))
        add(means, "cbc:PaymentID", payment.reference or document.number)
        account = add(means, "cac:PayeeFinancialAccount")
        add(account, "cbc:ID", payment.iban)
        if terms.is_dutch_government(document.buyer):
            return  # NLCIUS advises against the account's name and bank (BR-NL-30, BR-NL-31)
        add(account, "cbc:Name", payment.account_holder or document.seller.name)
        if payment.bic:
            add(account, "cac:FinancialInstitutionBranch/cbc:ID", payment.bic)

    def _tax(self) -> None:
        totals = self.document.totals
        tax = self.xml.add(self.xml.root, "cac:TaxTotal")
        self._amount(tax, "cbc:TaxAmount", totals.tax)
        for part in totals.breakdown:
            self._subtotal(tax, part)
        if self.document.vat_in_euro:
            path = "cac:TaxTotal/cbc:TaxAmount"
            self.xml.add(self.xml.root, path, self.document.vat_in_euro.tax, currencyID="EUR")

    def _subtotal(self, parent: Element, part: VatSubtotal) -> None:
        element = self.xml.add(parent, "cac:TaxSubtotal")
        self._amount(element, "cbc:TaxableAmount", part.taxable)
        self._amount(element, "cbc:TaxAmount", part.tax)
        category = self._category(element, "cac:TaxCategory", part.category, part.rate)
        code, reason = terms.exemption(part)
        self.xml.add_filled(category, "cbc:TaxExemptionReasonCode", code)
        self.xml.add_filled(category, "cbc:TaxExemptionReason", reason)
        self.xml.add(category, "cac:TaxScheme/cbc:ID", "VAT")

    def _category(self, parent: Element, path: str, code: str, rate: Decimal) -> Element:
        element = self.xml.add(parent, path)
        self.xml.add(element, "cbc:ID", code)
        if terms.has_rate(code):
            self.xml.add(element, "cbc:Percent", terms.plain(rate))
        return element

    def _totals(self) -> None:
        totals = self.document.totals
        element = self.xml.add(self.xml.root, "cac:LegalMonetaryTotal")
        self._amount(element, "cbc:LineExtensionAmount", totals.net)
        self._amount(element, "cbc:TaxExclusiveAmount", totals.net)
        self._amount(element, "cbc:TaxInclusiveAmount", totals.gross)
        self._amount(element, "cbc:PayableAmount", totals.gross)

    def _line(self, number: int, line: DocumentLine) -> None:
        add = self.xml.add
        element = add(self.xml.root, f"cac:{self.kind}Line")
        quantity, price = terms.quantity_and_price(line)
        counted = "Credited" if self.document.is_credit_note else "Invoiced"
        add(element, "cbc:ID", number)
        add(element, f"cbc:{counted}Quantity", quantity, unitCode=terms.UNIT)
        self._amount(element, "cbc:LineExtensionAmount", line.net)
        self._period(element, line.period)
        if line.discount:
            self._discount(element, line)
        item = add(element, "cac:Item")
        self.xml.add_filled(item, "cbc:Description", line.detail)
        add(item, "cbc:Name", line.description)
        category = self._category(item, "cac:ClassifiedTaxCategory", line.vat_category, line.vat_rate)
        add(category, "cac:TaxScheme/cbc:ID", "VAT")
        self._amount(element, "cac:Price/cbc:PriceAmount", price)

    def _discount(self, parent: Element, line: DocumentLine) -> None:
        element = self.xml.add(parent, "cac:AllowanceCharge")
        self.xml.add(element, "cbc:ChargeIndicator", False)
        self.xml.add(element, "cbc:AllowanceChargeReasonCode", terms.DISCOUNT)
        self.xml.add_filled(element, "cbc:AllowanceChargeReason", line.discount_reason)
        self._amount(element, "cbc:Amount", line.discount)

    def _amount(self, parent: Element, path: str, amount: Decimal) -> None:
        self.xml.add(parent, path, amount, currencyID=self.document.currency)

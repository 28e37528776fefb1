"""What makes a PDF a Factur-X: the name of the embedded file, and its announcement in the metadata."""

from __future__ import annotations

from datetime import datetime

from core.outside.pdf import Attachment

FILE_NAME = "factur-x.xml"

# Factur-X 1.0, section 6.2: the values, and the PDF/A extension schema that declares them.
METADATA = b"""
<rdf:Description xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#" rdf:about="">
  <fx:DocumentType>INVOICE</fx:DocumentType>
  <fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
  <fx:Version>1.0</fx:Version>
  <fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>
<rdf:Description xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
    xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
    xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#" rdf:about="">
  <pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
    <pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
    <pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
    <pdfaSchema:prefix>fx</pdfaSchema:prefix>
    <pdfaSchema:property><rdf:Seq>
      <rdf:li rdf:parseType="Resource">
        <pdfaProperty:name>DocumentFileName</pdfaProperty:name>
        <pdfaProperty:valueType>Text</pdfaProperty:valueType>
        <pdfaProperty:category>external</pdfaProperty:category>
        <pdfaProperty:description>The name of the embedded XML document</pdfaProperty:description>
      </rdf:li>
      <rdf:li rdf:parseType="Resource">
        <pdfaProperty:name>DocumentType</pdfaProperty:name>
        <pdfaProperty:valueType>Text</pdfaProperty:valueType>
        <pdfaProperty:category>external</pdfaProperty:category>
        <pdfaProperty:description>The type of the hybrid document in capital letters</pdfaProperty:description>
      </rdf:li>
      <rdf:li rdf:parseType="Resource">
        <pdfaProperty:name>Version</pdfaProperty:name>
        <pdfaProperty:valueType>Text</pdfaProperty:valueType>
        <pdfaProperty:category>external</pdfaProperty:category>
        <pdfaProperty:description>The version of the standard of the embedded XML document</pdfaProperty:description>
      </rdf:li>
      <rdf:li rdf:parseType="Resource">
        <pdfaProperty:name>ConformanceLevel</pdfaProperty:name>
        <pdfaProperty:valueType>Text</pdfaProperty:valueType>
        <pdfaProperty:category>external</pdfaProperty:category>
        <pdfaProperty:description>The conformance level of the embedded XML document</pdfaProperty:description>
      </rdf:li>
    </rdf:Seq></pdfaSchema:property>
  </rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""


def attachment(xml: bytes, created: datetime) -> Attachment:
    """The CII of an invoice as the file that Factur-X readers look for."""
    return Attachment(
        name=FILE_NAME, content=xml, created=created, description="Factur-X invoice", relationship="Alternative"
    )

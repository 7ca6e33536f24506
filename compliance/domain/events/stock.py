"""Stock: products, deliveries, containers, preparation, wastage, destruction, transfers, counts, discrepancies, dispensing."""

from typing import ClassVar, Literal

from compliance.domain.events.declaring import (
    AboutDrug,
    AboutPatient,
    Amount,
    Day,
    DrugCode,
    Envelope,
    Id,
    Instant,
    Integer,
    MayNameDrug,
    Record,
    StockType,
    StockUnit,
    Text,
    YesNo,
    may,
    must,
)


class Product(Envelope):
    """A product row of the drug list is added or changed."""

    kind: ClassVar[str] = "product"
    group: ClassVar[str] = "stock"
    key: ClassVar[tuple[str, ...]] = (
        "drug_code",
        "ndc11",
    )

    drug_code: Text = must("Code in the drug list")
    ndc_raw: Text = may("NDC as given")
    ndc_format: Literal["4-4-2", "5-3-2", "5-4-1", "6-4-2", "none"] = must("Layout")
    ndc11: Text = may("Normalised 11 digits")
    compound_ref: Text = may("Compounder's product id where no NDC exists")
    schedule: Literal["II", "III", "IV", "V", "none"] = must("Federal schedule")
    dea_code: Text = must("Controlled substance code")
    is_narcotic: YesNo = must("Narcotic flag")
    schedule_effective_on: Day = must("Legal date of that schedule")
    strength_mg_per_ml: Amount = may("Base strength of a liquid", unit="mg/mL")
    strength_mg_per_unit: Amount = may("Base strength of a device or unit", unit="mg/unit")
    expressed_as: Literal["base", "salt"] = must("How strength is stated")
    units_per_package: Integer = may("Devices or vials in a package")
    compound_basis: Literal[
        "shortage_list", "approved_starting_product", "bulks_list", "documented_difference"
    ] = may("Ground for a compounded product")
    basis_checked_on: Day = may("When that ground was checked")
    label_says_compounded: YesNo = may("Label declares a compounded drug")
    is_rems: YesNo = must("Under a REMS")


class Receipt(AboutDrug, Envelope):
    """Stock or patient-named drug arrived, was refused or came short; occurred_at is the true arrival."""

    kind: ClassVar[str] = "receipt"
    group: ClassVar[str] = "stock"

    registration: Text = may("DEA registration it is booked under")
    stock_type: StockType = must("Office stock or one patient's")
    source_type: Literal[
        "distributor",
        "manufacturer",
        "pharmacy",
        "outsourcing_facility",
        "practitioner",
        "patient",
        "own_site",
    ] = must("Kind of source")
    source_registration: Text = may("Source's registration (name, address, DEA number)")
    prescription: Text = may("Prescription of a patient-specific delivery")
    order_document: Literal["invoice", "packing_slip", "form_222", "csos", "none"] = may("Order paper")
    invoice_no: Text = may("Invoice number")
    document_sha256: Text = may("Digest of the paper kept")
    containers: Integer = must("Containers counted")
    invoiced_containers: Integer = may("Containers invoiced")
    quantity_per_container: Amount = may("Units or mL in each", unit="per quantity_unit")
    quantity: Amount = must("Total in stock unit", unit="per quantity_unit")
    quantity_unit: StockUnit = must("Stock unit")
    lot: Text = may("Lot")
    expires_on: Day = may("Expiry or beyond-use date")
    kit: Text = may("Kit handle")
    ndc11: Text = may("NDC")
    accepted: YesNo = must("Taken into custody")
    delivered_to_address_ref: Text = may("Address delivered to")


class ContainerStatus(MayNameDrug, Envelope):
    """A container was opened, moved, quarantined, sealed or emptied."""

    kind: ClassVar[str] = "container_status"
    group: ClassVar[str] = "stock"
    key: ClassVar[tuple[str, ...]] = ("container",)

    container: Text = must("Vial, device or kit handle")
    status: Literal[
        "in_stock",
        "opened",
        "in_use",
        "quarantined",
        "awaiting_disposal",
        "sealed_by_order",
        "empty",
        "transferred",
        "lost",
    ] = must("New state")
    storage_place: Text = must("Where it now is")
    registration: Text = must("Registration it is booked under")
    lot: Text = may("Lot")
    expires_on: Day = may("Expiry")
    beyond_use_at: Instant = may("Use-by after opening")
    labelled_quantity: Amount = may("Labelled content", unit="per quantity_unit")
    quantity_left: Amount = may("Content left", unit="per quantity_unit")
    quantity_unit: StockUnit = may("Stock unit")
    cause: Literal[
        "expiry", "damage", "recall", "prescription_expired", "unwanted", "dea_order", "normal"
    ] = may("Why")


class Preparation(AboutPatient, AboutDrug, Envelope):
    """Drug was drawn up or diluted for a patient."""

    kind: ClassVar[str] = "preparation"
    group: ClassVar[str] = "stock"

    preparation: Text = must("Handle")
    order: Text = must("Order")
    container: Text = may("Source container")
    lot: Text = may("Source lot")
    source_strength_mg_per_ml: Amount = must("Vial strength", unit="mg/mL")
    drug_ml: Amount = must("Volume drawn", unit="mL")
    diluent: Literal["none", "sterile_water", "sodium_chloride_0_9", "dextrose_5"] = may("Diluent")
    diluent_ml: Amount = may("Diluent volume", unit="mL")
    final_mg_per_ml: Amount = must("Strength prepared", unit="mg/mL")
    prepared_by: Text = must("Staff id")
    checked_by: Text = may("Second checker")


class Wastage(AboutDrug, Envelope):
    """Drug left from a dose, spilled or primed was written off and rendered unusable."""

    kind: ClassVar[str] = "wastage"
    group: ClassVar[str] = "stock"

    registration: Text = may("DEA registration")
    cause: Literal[
        "residue", "aborted_dose", "spillage", "breakage", "priming", "device_failure", "beyond_use"
    ] = must("Why")
    administration_event: Id = may("Dose it came from")
    order: Text = may("Order, if the dose was aborted")
    container: Text = may("Container")
    lot: Text = may("Lot")
    quantity: Amount = must("Amount in stock unit", unit="per quantity_unit")
    quantity_unit: StockUnit = must("Stock unit")
    amount_mg: Amount = may("Same in mg", unit="mg")
    measured: YesNo = may("Measured, not estimated")
    recoverable: YesNo = may("Spilled drug can be recovered")
    method: Literal["chemical_sequestration", "incineration_bin", "sewer", "sharps_bin", "other"] = may(
        "How rendered unusable"
    )
    witness: Text = may("Second person")
    second_observer: Text = may("Another signer on a spill")
    narrative: Text = may("What happened")


class Destruction(AboutDrug, Envelope):
    """Own stock was destroyed on site; occurred_at is when it was complete."""

    kind: ClassVar[str] = "destruction"
    group: ClassVar[str] = "stock"

    registration: Text = must("DEA registration")
    form41: Text = may("Form 41 handle")
    lot: Text = may("Lot")
    ndc11: Text = may("NDC")
    containers_full: Integer = may("Full packages")
    quantity: Amount = must("Total in stock unit", unit="per quantity_unit")
    quantity_unit: StockUnit = must("Stock unit")
    method: Literal["incineration", "chemical_digestion", "other"] = must("Method")
    non_retrievable: YesNo = may("Made non-retrievable")
    place: Text = may("Where")
    witness_1: Text = may("First employee")
    witness_2: Text = may("Second employee")
    cause: Literal["expired", "damaged", "recalled", "surplus", "prescription_expired"] = must("Why")
    prescription: Text = may("Prescription of patient-named stock")


class TransferOut(AboutDrug, Envelope):
    """Stock left for another registrant."""

    kind: ClassVar[str] = "transfer_out"
    group: ClassVar[str] = "stock"

    registration: Text = must("DEA registration it leaves")
    manner: Literal[
        "practitioner_transfer", "supplier_return", "recall", "reverse_distribution", "business_transfer"
    ] = must("Manner")
    recipient_registration: Text = may("Recipient's registration (name, address, DEA number)")
    lot: Text = may("Lot")
    ndc11: Text = may("NDC")
    containers: Integer = may("Containers")
    quantity: Amount = must("Total in stock unit", unit="per quantity_unit")
    quantity_unit: StockUnit = must("Stock unit")
    dosage_units: Amount = may("Dosage units by site policy")
    stock_type: StockType = must("Office stock or one patient's")
    invoice_no: Text = may("Invoice")
    manifest_no: Text = may("Manifest")
    observers: list[Text] = may("Employees who watched the hand-over")
    recipient_confirmed_quantity: Amount = may("Quantity recipient confirmed", unit="per quantity_unit")
    suspicious: YesNo = may("Order judged suspicious")
    dea_notice_on: Day = may("Notice of a business transfer")
    proposed_on: Day = may("Proposed date of a business transfer")


class CountLine(Record):
    """One line of a count: one drug, lot or container in one state."""

    drug: DrugCode = must("Drug code")
    lot: Text = may("Lot")
    container: Text = may("Container")
    quantity_per_container: Amount = must("Content of each", unit="per quantity_unit")
    containers: Integer = must("Sealed containers")
    opened_containers: Integer = may("Opened containers")
    quantity: Amount = must("Total counted", unit="per quantity_unit")
    quantity_unit: StockUnit = must("Stock unit")
    count_method: Literal["exact", "measured", "estimated"] = must("How")
    state: Literal[
        "in_stock", "opened", "quarantined", "awaiting_disposal", "patient_specific", "expired"
    ] = may("State")
    capacity: Integer = may("Capacity in tablets or capsules")


class InventoryCount(Envelope):
    """Stock was counted."""

    kind: ClassVar[str] = "inventory_count"
    group: ClassVar[str] = "stock"

    count: Text = must("Handle")
    registration: Text = must("DEA registration")
    count_type: Literal["initial", "biennial", "newly_scheduled", "business_transfer", "cycle", "shift"] = (
        must("Purpose")
    )
    complete: YesNo = must("Everything on hand was counted")
    business_point: Literal["opening", "close", "other"] = may("Opening or close of business")
    medium: Literal["written", "typed", "printed", "electronic"] = may("Lasting form")
    counted_by: Text = may("Counter")
    verified_by: Text = may("Second counter")
    lines: list[CountLine] = must("Lines; empty means nil stock")
    nothing_on_hand: YesNo = may("A zero inventory")


class Discrepancy(MayNameDrug, Envelope):
    """Stock and books differ, or drug was stolen; later events add the finding."""

    kind: ClassVar[str] = "discrepancy"
    group: ClassVar[str] = "stock"
    key: ClassVar[tuple[str, ...]] = ("discrepancy",)

    discrepancy: Text = must("Handle")
    registration: Text = must("DEA registration")
    discovered_at: Instant = must("When found; starts the clocks")
    lot: Text = may("Lot")
    container: Text = may("Container")
    direction: Literal["short", "over"] = must("Short or over")
    quantity: Amount = must("Difference in stock unit", unit="per quantity_unit")
    quantity_unit: StockUnit = must("Stock unit")
    count_event: Id = may("Count that showed it")
    receipt_event: Id = may("Delivery concerned")
    custody: Literal["supplier", "clinic"] = may("Who had signed for the goods")
    finding: Literal["open", "explained", "not_significant", "significant_loss", "theft"] = must(
        "Conclusion so far"
    )
    factors: list[
        Literal[
            "quantity_vs_business",
            "drug",
            "persons_or_activity",
            "pattern",
            "diversion_appeal",
            "local_trend",
        ]
    ] = may("Factors weighed")
    decided_by: Text = may("Who concluded")
    decided_at: Instant = may("When concluded")
    explanation_event: Id = may("Event that explains it")
    narrative: Text = may("Findings")


class StorageAccess(MayNameDrug, Envelope):
    """A storage place was opened or a container taken."""

    kind: ClassVar[str] = "storage_access"
    group: ClassVar[str] = "stock"

    storage_place: Text = must("Storage place")
    person: Text = must("Who")
    containers: list[Text] = may("Containers removed")
    quantity: Amount = may("Amount removed", unit="per quantity_unit")
    purpose: Literal["dose", "count", "restock", "return", "waste", "maintenance", "override"] = must("Why")


class Dispense(AboutPatient, AboutDrug, Envelope):
    """Drug was handed over for use elsewhere."""

    kind: ClassVar[str] = "dispense"
    group: ClassVar[str] = "stock"

    registration: Text = may("DEA registration")
    prescription: Text = must("Prescription")
    recipient_type: Literal["patient", "caregiver", "site", "courier"] = must("Who took it")
    patient_identity_ref: Text = may("Name and address as of that date")
    lot: Text = may("Lot")
    quantity: Amount = must("Amount in stock unit", unit="per quantity_unit")
    quantity_unit: StockUnit = must("Stock unit")
    days_supply: Integer = may("Days", unit="day")
    fill_number: Integer = must("0 for first fill")
    is_partial: YesNo = may("Partial fill")
    label_fields: list[
        Literal[
            "dispenser_name",
            "dispenser_address",
            "serial_number",
            "date",
            "patient",
            "prescriber",
            "directions",
            "cautions",
        ]
    ] = may("On the label")
    transfer_warning: YesNo = may("Federal transfer caution shown")
    dosage_units: Amount = may("Dosage units by site policy")

"""Enumerations of the payments API; values that this version does not know are kept."""

from __future__ import annotations

from bursar.contract import OpenEnum


class AccountType(OpenEnum):
    """INTERNAL: held with the provider; EXTERNAL: somebody else's."""

    UNKNOWN = "UNKNOWN"
    INTERNAL = "INTERNAL"
    EXTERNAL = "EXTERNAL"


class PaymentType(OpenEnum):
    """Which way money goes."""

    UNKNOWN = "UNKNOWN"
    PAY_IN = "PAY-IN"
    PAYOUT = "PAYOUT"
    TRANSFER = "TRANSFER"
    OTHER = "OTHER"


class PaymentStatus(OpenEnum):
    """Status of a payment. `AMOUNT_ADJUSTEMENT` is spelt so."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    REFUNDED = "REFUNDED"
    REFUNDED_FAILURE = "REFUNDED_FAILURE"
    REFUND_REVERSED = "REFUND_REVERSED"
    DISPUTE = "DISPUTE"
    DISPUTE_WON = "DISPUTE_WON"
    DISPUTE_LOST = "DISPUTE_LOST"
    AMOUNT_ADJUSTEMENT = "AMOUNT_ADJUSTEMENT"
    AUTHORISATION = "AUTHORISATION"
    CAPTURE = "CAPTURE"
    CAPTURE_FAILED = "CAPTURE_FAILED"
    OTHER = "OTHER"


class PaymentScheme(OpenEnum):
    """The network that carries a payment."""

    UNKNOWN = "UNKNOWN"
    CARD_VISA = "CARD_VISA"
    CARD_MASTERCARD = "CARD_MASTERCARD"
    CARD_AMEX = "CARD_AMEX"
    CARD_DINERS = "CARD_DINERS"
    CARD_DISCOVER = "CARD_DISCOVER"
    CARD_JCB = "CARD_JCB"
    CARD_UNION_PAY = "CARD_UNION_PAY"
    CARD_ALIPAY = "CARD_ALIPAY"
    CARD_CUP = "CARD_CUP"
    SEPA_DEBIT = "SEPA_DEBIT"
    SEPA_CREDIT = "SEPA_CREDIT"
    SEPA = "SEPA"
    GOOGLE_PAY = "GOOGLE_PAY"
    APPLE_PAY = "APPLE_PAY"
    DOKU = "DOKU"
    DRAGON_PAY = "DRAGON_PAY"
    MAESTRO = "MAESTRO"
    MOL_PAY = "MOL_PAY"
    A2A = "A2A"
    ACH_DEBIT = "ACH_DEBIT"
    ACH = "ACH"
    RTP = "RTP"
    OTHER = "OTHER"


class PaymentInitiationType(OpenEnum):
    """TRANSFER: between one's own accounts; PAYOUT: to somebody else."""

    UNKNOWN = "UNKNOWN"
    TRANSFER = "TRANSFER"
    PAYOUT = "PAYOUT"


class PaymentInitiationStatus(OpenEnum):
    """Status of a payment initiation."""

    UNKNOWN = "UNKNOWN"
    WAITING_FOR_VALIDATION = "WAITING_FOR_VALIDATION"
    SCHEDULED_FOR_PROCESSING = "SCHEDULED_FOR_PROCESSING"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    REVERSE_PROCESSING = "REVERSE_PROCESSING"
    REVERSE_FAILED = "REVERSE_FAILED"
    REVERSED = "REVERSED"


class TaskStatus(OpenEnum):
    """Status of a task."""

    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class PoolType(OpenEnum):
    """STATIC: listed accounts; DYNAMIC: those that a query finds at each read."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"


class ConnectionStatus(OpenEnum):
    """Status of a user's open-banking connection."""

    ACTIVE = "ACTIVE"
    ERROR = "ERROR"


class LinkAttemptStatus(OpenEnum):
    """How far a user's attempt to link an account came."""

    PENDING = "pending"
    COMPLETED = "completed"
    EXITED = "exited"


class Capability(OpenEnum):
    """What a connector's provider can do."""

    FETCH_ACCOUNTS = "FETCH_ACCOUNTS"
    FETCH_BALANCES = "FETCH_BALANCES"
    FETCH_EXTERNAL_ACCOUNTS = "FETCH_EXTERNAL_ACCOUNTS"
    FETCH_PAYMENTS = "FETCH_PAYMENTS"
    FETCH_OTHERS = "FETCH_OTHERS"
    FETCH_ORDERS = "FETCH_ORDERS"
    FETCH_CONVERSIONS = "FETCH_CONVERSIONS"
    CREATE_WEBHOOKS = "CREATE_WEBHOOKS"
    TRANSLATE_WEBHOOKS = "TRANSLATE_WEBHOOKS"
    CREATE_BANK_ACCOUNT = "CREATE_BANK_ACCOUNT"
    CREATE_TRANSFER = "CREATE_TRANSFER"
    CREATE_PAYOUT = "CREATE_PAYOUT"
    ALLOW_FORMANCE_ACCOUNT_CREATION = "ALLOW_FORMANCE_ACCOUNT_CREATION"
    ALLOW_FORMANCE_PAYMENT_CREATION = "ALLOW_FORMANCE_PAYMENT_CREATION"


class OrderDirection(OpenEnum):
    """Whether an order buys or sells the base asset."""

    UNKNOWN = "UNKNOWN"
    BUY = "BUY"
    SELL = "SELL"


class OrderStatus(OpenEnum):
    """Status of an order on its exchange."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


class OrderType(OpenEnum):
    """How an order is priced: LIMIT kinds have a limit price, STOP kinds a stop price."""

    UNKNOWN = "UNKNOWN"
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_LIMIT = "STOP_LIMIT"
    STOP = "STOP"
    TWAP = "TWAP"
    VWAP = "VWAP"
    PEG = "PEG"
    BLOCK = "BLOCK"
    RFQ = "RFQ"
    TRAILING_STOP = "TRAILING_STOP"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"


class TimeInForce(OpenEnum):
    """How long an order stands."""

    UNKNOWN = "UNKNOWN"
    GOOD_UNTIL_CANCELLED = "GOOD_UNTIL_CANCELLED"
    GOOD_UNTIL_DATE_TIME = "GOOD_UNTIL_DATE_TIME"
    IMMEDIATE_OR_CANCEL = "IMMEDIATE_OR_CANCEL"
    FILL_OR_KILL = "FILL_OR_KILL"


class ConversionStatus(OpenEnum):
    """Status of a conversion."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

"""Numbers as text, in the same way on every figure."""

from __future__ import annotations

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, *, places: bool = False) -> str:
    """Three significant digits: 0.0123, 12.3, 1,230, 1.2·10⁻⁷; `places` keeps zeros at the end."""
    if abs(value) >= 1e5:
        return raised(f"{value:.2e}")
    if abs(value) >= 1000:
        return raised(f"{value:,.0f}")
    text = f"{value:#.3g}".rstrip(".") if places else f"{value:.3g}"
    return raised(text)


def power(exponent: float) -> str:
    """10 to this power, as a label that stands alone: 0.001, 0.5, 10⁻⁵."""
    if exponent == round(exponent) and not -5 < exponent < 5:
        return "10" + str(round(exponent)).translate(_RAISED)
    return number(10.0 ** min(exponent, 308.0))


def raised(text: str) -> str:
    """A number that Python wrote, as people write it: 1.2e-07 is 1.2·10⁻⁷."""
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.replace("-", "\N{MINUS SIGN}")
    return f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}" if exponent else mantissa


def percent(share: float) -> str:
    """A share in percent; 0 % and 100 % only stand for nothing and all."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{min(share * 100, 99.9):.1f} %"

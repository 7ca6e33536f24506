"""The grammar: CEL's precedence, what is not in the language, and limits."""

from __future__ import annotations

import pytest

from compliance.policy.expression import ExpressionErrors
from compliance.policy.expression.parser import MAX_DEPTH, parse
from compliance.policy.expression.syntax import (
    Binary,
    Call,
    ListLiteral,
    Logical,
    Member,
    Name,
    NumberLiteral,
    Syntax,
    Ternary,
    TextLiteral,
    Unary,
)


def shape(tree: Syntax) -> str:
    """The tree fully parenthesised."""
    match tree:
        case Name(name=name):
            return name
        case NumberLiteral(value=value):
            return str(value // 10**6)
        case TextLiteral(value=value):
            return repr(value)
        case Unary(operator=operator, operand=operand):
            return f"({operator}{shape(operand)})"
        case Binary(operator=operator, left=left, right=right):
            return f"({shape(left)} {operator} {shape(right)})"
        case Logical(operator=operator, operands=operands):
            return "(" + f" {operator} ".join(map(shape, operands)) + ")"
        case Ternary(condition=condition, then=then, otherwise=otherwise):
            return f"({shape(condition)} ? {shape(then)} : {shape(otherwise)})"
        case Member(operand=operand, field=field):
            return f"{shape(operand)}.{field}"
        case Call(function=function, receiver=receiver, arguments=arguments):
            before = "" if receiver is None else shape(receiver) + "."
            return f"{before}{function}({', '.join(map(shape, arguments))})"
        case ListLiteral(items=items):
            return f"[{', '.join(map(shape, items))}]"
    return str(tree)


@pytest.mark.parametrize(
    "text,expected",
    [
        ("a || b && c", "(a || (b && c))"),
        ("a && b && c", "(a && b && c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a < b == c", "((a < b) == c)"),
        ("a in b && c", "((a in b) && c)"),
        ("!a.b", "(!a.b)"),
        ("!!a", "(!(!a))"),
        ("-a * b", "((-a) * b)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? (b ? x : y) : c", "(a ? (b ? x : y) : c)"),
        ("a || b ? c : d", "((a || b) ? c : d)"),
        ("a.b.c(d, 1).e", "a.b.c(d, 1).e"),
        ("f([1, 2], 'x')", "f([1, 2], 'x')"),
        ("a\n  && b", "(a && b)"),
    ],
)
def test_precedence_and_associativity_are_those_of_cel(text: str, expected: str) -> None:
    """Operators bind as in CEL's grammar."""
    assert shape(parse(text)) == expected


@pytest.mark.parametrize(
    "text,value",
    [
        (r"'a\'b'", "a'b"),
        (r'"a\"b"', 'a"b'),
        (r"'\x41B\103\n'", "ABC\n"),
        (r"r'\d'", r"\d"),
        (r"'\\d'", r"\d"),
        ("'é'", "é"),
    ],
)
def test_texts_have_the_escapes_of_cel(text: str, value: str) -> None:
    """Quoted texts read as CEL reads them."""
    tree = parse(text)
    assert isinstance(tree, TextLiteral)
    assert tree.value == value


@pytest.mark.parametrize(
    "text,value",
    [("28", 28_000_000), ("0.5", 500_000), ("28.50", 28_500_000), ("0.000001", 1), ("1.0000000", 1_000_000)],
)
def test_numbers_are_exact_decimals(text: str, value: int) -> None:
    """A decimal literal is read digit by digit."""
    tree = parse(text)
    assert isinstance(tree, NumberLiteral)
    assert tree.value == value


@pytest.mark.parametrize(
    "text,place,says",
    [
        ("a / b", (2, 3), "no division"),
        ("a % b", (2, 3), "remainder"),
        ("a[0]", (1, 2), "picked"),
        ("{'a': 1}", (0, 1), "maps"),
        ("1u", (0, 2), "Unsigned"),
        ("b'x'", (0, 2), "Byte strings"),
        ("1e3", (0, 3), "plain decimal"),
        ("0x10", (0, 4), "plain decimal"),
        (".5", (0, 2), "does not start with a point"),
        ("1. == a", (0, 2), "does not end with a point"),
        ("0.0000001", (0, 9), "more than 6 digits"),
        ("1000000000", (0, 10), "too large"),
        ("5mg", (0, 3), "neither a number nor a name"),
        ("a = b", (2, 3), "One '='"),
        ("a & b", (2, 3), "One '&'"),
        ("a and b", (2, 5), "'and' is not a word"),
        ("a ≤ b", (2, 3), "'≤'"),
        ("‘a’", (0, 1), "Typographic"),
        ("'a", (0, 2), "no closing quote"),
        ("'''a'''", (0, 3), "three quotes"),
        (r"'\q'", (1, 3), "backslash"),
        (r"'\ud800'", (1, 7), "not a character"),
        ("(a", (0, 1), "not closed"),
        ("[a, b", (0, 1), "not closed"),
        ("a &&", (4, 4), "ends too early"),
        ("", (0, 0), "empty"),
        ("a b", (2, 3), "not expected"),
        ("!-a", (0, 2), "cannot follow each other"),
        ("a ? b ? c : d : e", (6, 7), "parentheses"),
        ("a ? b", (5, 5), "both values"),
        ("package", (0, 7), "reserves"),
        ("a.in", (2, 4), "field's name"),
        ("'a\nb'", (0, 2), "no closing quote"),
    ],
)
def test_what_is_not_in_the_language_is_named(text: str, place: tuple[int, int], says: str) -> None:
    """Each thing that is refused is underlined and said in words."""
    with pytest.raises(ExpressionErrors) as refused:
        parse(text)
    (error,) = refused.value.errors
    assert (error.span.start, error.span.end) == place
    assert says in error.message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000 + "a" + ")" * 1000,
        "!" * 1000 + "a",
        "-" * 1000 + "a",
        "[" * 1000 + "]" * 1000,
        "f(" * 1000 + ")" * 1000,
        "a" + ".b" * 1000,
        " + ".join("a" * 1000),
        " == ".join("a" * 1000),
        "a ? b : " * 1000 + "c",
        "a.exists(x, " * 500 + "b" + ")" * 500,
    ],
)
def test_deep_nesting_is_an_error_and_not_a_crash(text: str) -> None:
    """An expression a thousand levels deep is refused in words, whatever it nests."""
    with pytest.raises(ExpressionErrors, match=f"more than {MAX_DEPTH} levels"):
        parse(text)


def test_a_long_chain_is_not_deep() -> None:
    """Many clauses side by side are one level."""
    tree = parse(" && ".join(["a"] * 1000))
    assert isinstance(tree, Logical)
    assert len(tree.operands) == 1000


def test_length_is_limited() -> None:
    """Ten thousand characters are read, one more is refused."""
    assert parse("a" * 10_000)
    with pytest.raises(ExpressionErrors, match="10,001 characters"):
        parse("a" * 10_001)

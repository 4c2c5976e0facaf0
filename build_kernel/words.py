"""Bodies in C of the machine's operations on words and bytes (`simvirt/machine/words.py`), with bounds where they are checked."""

BODIES = '''
from cython.cimports.libc.string import memcpy, memmove

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def wrap(a: cython.longlong) -> cython.longlong:
    return a

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def word(a: cython.longlong) -> cython.longlong:
    return cython.cast(cython.int, cython.cast(cython.uint, a))

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def low(a: cython.longlong) -> cython.longlong:
    return cython.cast(cython.uint, a)

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def below(a: cython.longlong, b: cython.longlong) -> cython.bint:
    return cython.cast(cython.ulonglong, a) < cython.cast(cython.ulonglong, b)

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def left_shift(a: cython.longlong, by: cython.longlong) -> cython.longlong:
    return cython.cast(cython.longlong, cython.cast(cython.ulonglong, a) << by)

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def right_shift(a: cython.longlong, by: cython.longlong) -> cython.longlong:
    return cython.cast(cython.longlong, cython.cast(cython.ulonglong, a) >> by)

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def quotient(a: cython.longlong, b: cython.longlong) -> cython.longlong:
    return a / b

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def rest(a: cython.longlong, b: cython.longlong) -> cython.longlong:
    return a % b

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def quotient_unsigned(a: cython.longlong, b: cython.longlong) -> cython.longlong:
    return cython.cast(cython.longlong, cython.cast(cython.ulonglong, a) / cython.cast(cython.ulonglong, b))

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def rest_unsigned(a: cython.longlong, b: cython.longlong) -> cython.longlong:
    return cython.cast(cython.longlong, cython.cast(cython.ulonglong, a) % cython.cast(cython.ulonglong, b))
'''
LOAD = '''
@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def {name}(ram: {bytes}, at: cython.longlong) -> cython.longlong:
    value: {kind} = 0
{check}    memcpy(cython.address(value), cython.address(ram[at]), {size})
    return cython.cast(cython.longlong, value)
'''
STORE = '''
@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def {name}(ram: {bytes}, at: cython.longlong, what: cython.longlong) -> cython.void:
    value: {kind} = cython.cast({kind}, what)
{check}    memcpy(cython.address(ram[at]), cython.address(value), {size})
'''
MOVE = '''
@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def move(to: {bytes}, at: cython.longlong, source: {bytes}, begin: cython.longlong, count: cython.longlong) -> cython.void:
    if count > 0:
{check}        memmove(cython.address(to[at]), cython.address(source[begin]), cython.cast(cython.size_t, count))
'''
LOADS = {
    "signed8": "schar", "signed16": "short", "signed32": "int", "load64": "longlong",
    "unsigned8": "uchar", "unsigned16": "ushort", "unsigned32": "uint",
}
STORES = {"store8": "uchar", "store16": "ushort", "store32": "uint", "store64": "longlong"}
SIZES = {"schar": 1, "uchar": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "longlong": 8}


def bodies(pointer: str, checked: bool) -> str:
    """All of them; where bounds are checked the place of the last byte is."""
    parts = [BODIES]
    for form, kinds in ((LOAD, LOADS), (STORE, STORES)):
        for name, kind in kinds.items():
            check = f"    if ram[at] == ram[at + {SIZES[kind] - 1}]:\n        pass\n" if checked else ""
            parts.append(form.format(name=name, bytes=pointer, kind=f"cython.{kind}", size=SIZES[kind], check=check))
    ends = "        if to[at] == to[at + count - 1] and source[begin] == source[begin + count - 1]:\n            pass\n" if checked else ""
    return "".join([*parts, MOVE.format(bytes=pointer, check=ends)])

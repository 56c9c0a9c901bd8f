#!/bin/sh
# coroutine_rules.sh: what docs/contributing.md forbids because g++ 12 miscompiles it stands nowhere
# in the sources.
set -eu
cd "$(dirname "$0")/../.."

# A co_await inside a condition; the initialiser of `if (auto x = co_await ...; ...)` is allowed.
conditions='(if|while) (constexpr )?\([^)]*co_await|(&&|\|\||\?|[(!] *!) *co_await'
allowed='if \((const )?auto [a-z_]+ = co_await'
# A capturing lambda or a brace-initialised aggregate in the operand.
temporaries='co_await [^;]*(\[[&=a-z]|[(,] *\{[^}])'

found=$(grep -rnE "$conditions" src include --include='*.?pp' | grep -vE "$allowed" || true)
found=$found$(grep -rnE "$temporaries" src include --include='*.?pp' || true)
[ -z "$found" ] || { echo "$found"; exit 1; }

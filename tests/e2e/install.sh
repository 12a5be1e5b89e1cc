#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make install into an empty folder: everything works from there, wherever the folder was moved to.
. "$(dirname "$0")/../support/node.sh"

root=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(readlink -f "$B")" = "$root/build/release" ] || skip "installs build/release, and tests another build"
make -s -C "$root" install DESTDIR="$T/stage" PREFIX=/opt/nearfold >"$T/log" 2>&1 ||
	fail "make install: $(tail -n 5 "$T/log")"
mv "$T/stage/opt/nearfold" "$T/moved"
rm -r "$T/stage"
p=$T/moved

for file in bin/nearfold sbin/nearfoldd lib/libnearfold.so lib/libnearfold.so.0 lib/pkgconfig/nearfold.pc \
	lib/nearfold/nearfold-jit.so include/nearfold.h include/nearfold.bpf.h \
	share/nearfold/examples/average.bpf.c share/bash-completion/completions/nearfold; do
	[ -e "$p/$file" ] || fail "$file is not installed"
done
grep -q '^ExecStart=/opt/nearfold/sbin/nearfoldd ' "$p/lib/systemd/system/nearfoldd.service" ||
	fail "the unit starts another program"
if command -v scdoc >/dev/null; then
	for page in nearfold nearfoldd; do
		[ -s "$p/share/man/man1/$page.1" ] || fail "no man page $page(1)"
	done
fi

# ---- an example from its first comment, with the installed header; the installed node and client
"${BPF_CC:-clang-19}" -O2 -g -target bpf -mcpu=v3 -I "$p/include" \
	-c "$p/share/nearfold/examples/average.bpf.c" -o "$T/average.bpf.o"
head -c 2400 /dev/urandom >"$T/some.bin"
tree=$B
B=$T/bin
mkdir "$B"
ln -s "$p/sbin/nearfoldd" "$B/nearfoldd"
node_start 127.0.0.1:0 --export "some=$T/some.bin,format=fixed:24"
for engine in interp jit; do
	"$p/bin/nearfold" run "$T/average.bpf.o" --node "$NODE_ADDRESS" --dataset some --engine $engine \
		--output csv >"$T/$engine"
	"$p/bin/nearfold" run "$T/average.bpf.o" --local "$T/some.bin" --format fixed:24 --engine $engine \
		--output csv >"$T/$engine.local"
	cmp "$T/interp" "$T/$engine" || fail "another answer from the node by $engine"
	cmp "$T/interp" "$T/$engine.local" || fail "another answer from here by $engine"
done
cmp -s "$p/lib/nearfold/nearfold-jit.so" "$tree/nearfold-jit.so" || fail "another nearfold-jit.so"

# ---- completion asks the program itself
completes()
{
	local want=$1

	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_nearfold
	check_equal "completion of $*" "${COMPREPLY[*]}" "$want"
}
# shellcheck disable=SC1091
. "$p/share/bash-completion/completions/nearfold"
PATH=$p/bin:$PATH
completes datasets nearfold da
completes --engine nearfold run --eng
completes "auto kernel jit interp" nearfold run --engine ""
completes "auto pread uring mmap nvme" nearfold query --reader ""
completes --schema nearfold query --sch
completes sweep nearfold bench sw
completes --only nearfold bench sweep --on
completes some nearfold run --node "$NODE_ADDRESS" --dataset so

# ---- a program on the library, by pkg-config; the header alone in every language it promises
cat >"$T/use.c" <<'C'
#include <nearfold.h>

int main(int argc, char **argv)
{
	const char *files[] = {argc > 2 ? argv[2] : "", 0};
	static struct nearfold_query query;
	struct nearfold_program *program;
	struct nearfold_result *result;
	struct nearfold_error why;

	if (argc < 3 || nearfold_program_open(argv[1], &program, &why)) {
		fprintf(stderr, "%s\n", argc < 3 ? "use PROG FILE" : why.text);
		return 1;
	}
	query.program = program;
	query.files = files;
	query.format = "fixed:24";
	query.engine = "jit";
	if (nearfold_run(0, &query, &result, &why)) {
		fprintf(stderr, "%s: %s\n", why.where, why.text);
		return 1;
	}
	nearfold_result_write(result, NEARFOLD_CSV, stdout);
	nearfold_result_free(result);
	nearfold_program_free(program);
	return 0;
}
C
export PKG_CONFIG_PATH=$p/lib/pkgconfig
flags=(-Wall -Wextra -pedantic -Werror)
prefix=--define-variable=prefix=$p
read -ra cflags <<<"$(pkg-config "$prefix" --cflags nearfold)"
read -ra libs <<<"$(pkg-config "$prefix" --libs nearfold)"
cc=${CC:-cc}
"$cc" -std=c99 "${flags[@]}" "${cflags[@]}" "$T/use.c" -o "$T/use" "${libs[@]}"
LD_LIBRARY_PATH=$p/lib "$T/use" "$T/average.bpf.o" "$T/some.bin" >"$T/got" || fail "the program on the library failed"
cmp "$T/interp" "$T/got" || fail "another answer from the library"
for std in c99 c11 c17; do
	"$cc" -x c -std=$std "${flags[@]}" -fsyntax-only "$p/include/nearfold.h"
done
if command -v c++ >/dev/null; then
	c++ -std=c++17 "${flags[@]}" "${cflags[@]}" -x c++ -fsyntax-only "$T/use.c"
fi
node_stop || fail "the node ended with status $?"

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Completion of nearfold's commands, options and their values; both are asked of nearfold itself.

_nearfold()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} help values

	COMPREPLY=()
	help=$(nearfold --help 2>/dev/null | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p')
	if [ "$COMP_CWORD" -eq 1 ]; then
		values=$(sed 's/ .*//' <<<"$help" | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$values --help --version" -- "$cur")
		return
	fi
	# Some commands have two words: "bench savings".
	values=$(sed -n "s/^${COMP_WORDS[1]} //p" <<<"$help")
	if [ -n "$values" ] && [ "$COMP_CWORD" -eq 2 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
		return
	fi
	help=$(nearfold "${COMP_WORDS[1]}" ${values:+"${COMP_WORDS[2]}"} --help 2>/dev/null)
	case $prev in
	--format)
		mapfile -t COMPREPLY < <(compgen -W "fixed: lines" -- "$cur")
		return
		;;
	--dataset)
		local i node=
		for ((i = 2; i < COMP_CWORD - 1; i++)); do
			[ "${COMP_WORDS[i]}" != --node ] || node=${COMP_WORDS[i + 1]}
		done
		[ -n "$node" ] || return
		values=$(nearfold datasets --node "$node" --timeout 1s --output csv 2>/dev/null |
			sed -n '2,$s/,.*//p')
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
		return
		;;
	--*)
		# "--engine auto|kernel|jit|interp": the choices stand in the help.
		values=$(sed -n "s/^  $prev \\([a-z|]*\\) .*/\\1/p" <<<"$help")
		if [ -n "$values" ]; then
			mapfile -t COMPREPLY < <(compgen -W "${values//|/ }" -- "$cur")
			return
		fi
		;;
	esac
	if [[ $cur == -* ]]; then
		values=$(sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$help")
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _nearfold nearfold

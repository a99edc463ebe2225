# bash completion for tcpwhy(8). What may stand where is known to the program: src/cli/complete.c.

_tcpwhy()
{
	local words=() word line cur=${COMP_WORDS[COMP_CWORD]} at

	# Bash cuts --color=always in three; the program wants it whole.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		at=$((${#words[@]} - 1))
		if ((at >= 0)) && [[ ${words[at]} == --*= || ( $word == = && ${words[at]} == --* ) ]]; then
			words[at]+=$word
		else
			words+=("${word//[\"\'\\]/}")
		fi
	done
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:files | :folders)
			compopt -o filenames
			at=-f
			[[ $line == :folders ]] && at=-d
			while IFS= read -r word; do
				COMPREPLY+=("$word")
			done < <(compgen "$at" -- "${cur#=}") ;;
		*)
			word=${line%%$'\t'*}
			[[ ${words[-1]} == --*=* ]] && word=${word#*=}
			[[ $word == *= ]] && compopt -o nospace
			COMPREPLY+=("$word") ;;
		esac
	done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "${words[@]}" 2>/dev/null)
}

complete -F _tcpwhy tcpwhy check_tcpwhy

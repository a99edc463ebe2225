# bash completion for tcpwhy(8). The lists are checked against `tcpwhy COMMAND --help` by the tests.

_tcpwhy_options()
{
	case $1 in
	why) echo "--read --interface --for --write --from --record --netns --all-netns --min-age" \
		"--dead-sockets --sockopts --examples --ipv4 --ipv6 --numeric --json --exit-code --color" \
		"--no-progress --no-sandbox --verbose --help --version" ;;
	list) echo "--read --interface --for --write --from --record --netns --all-netns --min-age" \
		"--processes --options --extended --info --memory --by --top --all-states --ipv4 --ipv6" \
		"--no-header --numeric --json --json-lines --color --no-progress --no-sandbox --verbose" \
		"--help --version" ;;
	pcap) echo "--min-age --examples --count --numeric --json --json-lines --exit-code --color" \
		"--no-progress --no-sandbox --verbose --help --version" ;;
	explain) echo "--json --color --verbose --help --version" ;;
	check) echo "--warning --critical --timeout --config --state --format --output --top --from --netns --all-netns" \
		"--min-age --json --verbose --help --version" ;;
	lab) echo "--json --all --color --verbose --help --version" ;;
	audit) echo "--from --netns --draft --json --exit-code --color --verbose --help --version" ;;
	esac
}

_tcpwhy_commands="why list pcap explain lab audit check"
_tcpwhy_states="close-wait fin-wait-1 fin-wait-2 time-wait last-ack closing established syn-sent
	syn-recv listen"
_tcpwhy_words="state exclude src dst sport dport dev fwmark cgroup autobound and or not pid comm uid ino age rqueue wqueue
	retrans timer orphan owned unaccepted netns unit rule"

_tcpwhy_checks="close-wait.left close-wait.nofile close-wait.count close-wait.age ports.left
	ports.share accept-queue.share orphans.share conntrack.share tw-buckets.share fin-wait-2.held.age"

_tcpwhy()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=why word
	COMPREPLY=()

	for word in $_tcpwhy_commands; do
		[[ ${COMP_WORDS[1]} == "$word" && $COMP_CWORD -gt 1 ]] && command=$word
	done
	case $prev in
	-r | --read | -w | --write)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--from | --record)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return ;;
	-i | --interface)
		mapfile -t COMPREPLY < <(compgen -W "any $(ls /sys/class/net 2>/dev/null)" -- "$cur")
		return ;;
	-N | --netns)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /run/netns 2>/dev/null)" -- "$cur")
		return ;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
		return ;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W "text json prometheus openmetrics" -- "$cur")
		return ;;
	--output | --config | --state)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--warning | --critical)
		mapfile -t COMPREPLY < <(compgen -S = -W "$_tcpwhy_checks" -- "$cur")
		return ;;
	state | exclude)
		mapfile -t COMPREPLY < <(compgen -W "$_tcpwhy_states" -- "$cur")
		return ;;
	rule)
		mapfile -t COMPREPLY < <(compgen -W "$(_tcpwhy_topics rule)" -- "$cur")
		return ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_tcpwhy_options "$command")" -- "$cur")
		return
	fi
	case $command in
	check) ;;
	pcap) mapfile -t COMPREPLY < <(compgen -f -- "$cur"; compgen -W "$_tcpwhy_words" -- "$cur") ;;
	explain) mapfile -t COMPREPLY < <(compgen -W "$(_tcpwhy_topics)" -- "$cur") ;;
	lab) mapfile -t COMPREPLY < <(compgen -W "$(tcpwhy lab 2>/dev/null | awk '{ print $1 }')" -- "$cur") ;;
	*)
		word=$_tcpwhy_words
		[[ $COMP_CWORD -eq 1 ]] && word="$_tcpwhy_commands $word"
		mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur") ;;
	esac
}

# Ids that `tcpwhy explain` lists: all of them, or those of one kind.
_tcpwhy_topics()
{
	tcpwhy explain --json 2>/dev/null |
		tr '{' '\n' |
		sed -n "s/.*\"id\": *\"\([^\"]*\)\", *\"kind\": *\"${1:-[a-z]*}\".*/\1/p"
}

complete -F _tcpwhy tcpwhy

# fish completion for tcpwhy(8). What may stand where is known to the program: src/cli/complete.c.

function __tcpwhy_complete
	set -l words (commandline -opc)
	set -l token (commandline -ct)
	for line in ($words[1] __complete $words[2..-1] "$token" 2>/dev/null)
		switch $line
			case :files
				__fish_complete_path (string replace -r '^--[^=]*=' '' -- "$token")
			case :folders
				__fish_complete_directories (string replace -r '^--[^=]*=' '' -- "$token")
			case '*'
				echo $line
		end
	end
end

complete -c tcpwhy -f -a '(__tcpwhy_complete)'
complete -c check_tcpwhy -f -a '(__tcpwhy_complete)'

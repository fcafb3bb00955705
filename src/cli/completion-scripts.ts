export type Shell = 'bash' | 'zsh' | 'fish';

const bash = `# completion of banger for bash
_banger() {
  mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)
}
complete -F _banger banger
`;

const zsh = `#compdef banger
# completion of banger for zsh
_banger() {
  local line
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    line=\${line//:/\\\\:}
    candidates+=("\${line/$'\\t'/:}")
  done
  (( $#candidates )) && _describe banger candidates
}
compdef _banger banger
`;

const fish = `# completion of banger for fish
function __banger_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  command banger complete -- $words[2..-1] "$current" 2>/dev/null
end
complete -c banger -f -a '(__banger_complete)'
`;

/** Each asks `banger complete`, so that commands, flags and VM names are those of the banger that runs. */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };

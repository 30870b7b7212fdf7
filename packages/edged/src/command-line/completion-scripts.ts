/**
 * The completion scripts of three shells. They hold no command and no option: they ask the program
 * whose name is being typed (`completion-words.ts`) and offer what it answers.
 */
import { completionRequest } from './completion-words.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** bash takes `--option=value` apart at the sign: the sign is left out, as after a space. */
const bash = `# bash completion for edged: source <(edged completion bash)
_edged() {
  local program current=\${COMP_WORDS[COMP_CWORD]} word line words=()
  program=$(type -P -- "\${COMP_WORDS[0]/#\\~\\//$HOME/}") || program=edged
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    [[ $word == = ]] || words+=("$word")
  done
  if [[ $current == = ]]; then
    current=''
    words+=('')
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
      :directories)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("$program" ${completionRequest} "\${words[@]}" 2>/dev/null)
}
complete -F _edged edged
`;

const zsh = `#compdef edged
# zsh completion for edged: source <(edged completion zsh)
_edged() {
  local program=\${words[1]/#\\~\\//$HOME/} line word describe
  local -a asked candidates
  (( $+commands[$program] )) || [[ -x $program ]] || program=edged
  asked=("\${(@)words[2,CURRENT]}")
  asked[-1]=$PREFIX
  if [[ $PREFIX == --*=* ]]; then
    asked[-1]=\${PREFIX%%=*}
    asked+=("\${PREFIX#*=}")
    compset -P '*='
  fi
  for line in "\${(@f)$($program ${completionRequest} "\${(@)asked}" 2>/dev/null)}"; do
    case $line in
      :files) _files; return ;;
      :directories) _files -/; return ;;
      ?*)
        word=\${\${line%%$'\\t'*}//:/\\\\:}
        describe=\${line#*$'\\t'}
        candidates+=("$word\${describe:+:$describe}")
        ;;
    esac
  done
  _describe edged candidates
}
if [[ $funcstack[1] == _edged ]]; then _edged "$@"; else compdef _edged edged; fi
`;

const fish = `# fish completion for edged: edged completion fish | source
function __edged_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    command -q -- $program; or set program edged
    set -l current (commandline -ct)
    set -l option (string match -r -- '^--[^=]+=' "$current")
    set -l value (string replace -- "$option" '' "$current")
    for line in ($program ${completionRequest} $words "$current" 2>/dev/null)
        switch $line
            case ':files'
                for path in (__fish_complete_path "$value")
                    echo "$option$path"
                end
            case ':directories'
                for path in (__fish_complete_directories "$value" '')
                    echo "$option$path"
                end
            case '*'
                echo $line
        end
    end
end
complete -c edged -f -a '(__edged_complete)'
`;

export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };

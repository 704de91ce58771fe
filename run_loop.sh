#!/bin/sh
# Runs `pcc run` again and again, each process for a bounded number of photos,
# until nothing is left. All processes share one run id, so retries and --force
# end too, and a budget holds for the whole loop.
#
#   run_loop.sh BACKEND [MODEL] [OPTION]...     every option of `pcc run`
#   run_loop.sh local Qwen/Qwen3-VL-4B-Instruct --photos-dir ~/Photos
#   run_loop.sh --photos-dir ~/Photos --restart-every 500 --retry-status error_api
#
# A process ends after 1000 photos; --restart-every 0 lets one process do all.

# The program that came with this script, whatever else the PATH holds.
here=$(dirname "$0")
for pcc in "$here/pcc" "$here/.venv/bin/pcc" pcc; do
    [ -x "$pcc" ] && break
done
pcc=${PCC:-$pcc}

case ${1-} in
"" | -*) ;; # options alone
*)
    backend=$1
    shift
    case ${1-} in
    "" | -*) set -- --backend "$backend" "$@" ;;
    *)
        model=$1
        shift
        set -- --backend "$backend" --model "$model" "$@"
        ;;
    esac
    ;;
esac

run_id="loop-$(date +%Y%m%d-%H%M%S)-$$"

while :; do
    "$pcc" run --run-id "$run_id" --restart-every 1000 "$@"
    code=$?
    # 2 means: more to do, start me again. 0 is the end, 130 a stop that somebody
    # asked for, 3 the budget, anything else a failure.
    [ "$code" -eq 2 ] || exit "$code"
done

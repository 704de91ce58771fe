#!/bin/sh
# Runs `pcc run` again and again, each process for a bounded number of photos,
# until nothing is left. All processes share one run id, so retries and --force
# end too, and a budget holds for the whole loop.
#
#   ./run_loop.sh --photos-dir ~/Photos --backend local
#   ./run_loop.sh --photos-dir ~/Photos --restart-every 500 --retry-status error_api

run_id="loop-$(date +%Y%m%d-%H%M%S)-$$"

while :; do
    "${PCC:-pcc}" run --run-id "$run_id" --restart-every 1000 "$@"
    code=$?
    # 2 means: more to do, start me again. 0 is the end, anything else a failure.
    [ "$code" -eq 2 ] || exit "$code"
done

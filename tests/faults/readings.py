"""What a server tells of itself while something goes wrong."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

Readings = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Every sample, by its name and its labels."""


async def readings(port: int) -> Readings:
    """What stands at the port that BALIE_METRICS_PORT names."""
    async with httpx.AsyncClient() as http:
        told = (await http.get(f"http://127.0.0.1:{port}/metrics", timeout=30)).text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }

"""What nginx compresses: the API's description, which holds no secret."""

import gzip


def test_the_api_description_is_compressed_for_who_takes_that(console):
    plain = console.get("/openapi.json")
    packed = console.get("/openapi.json",
                         headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.body) * 5 < len(plain.body)
    assert gzip.decompress(packed.body) == plain.body
    assert console.using(token=None).get("/openapi.json").status == 401

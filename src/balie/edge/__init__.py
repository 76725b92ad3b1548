"""What every HTTP and socket door needs: who may, from where, how often, and how a refusal looks."""
